import { Suspense } from "preact/compat";
import { useState } from "preact/hooks";
import { address, go, link } from "../address";
import type { WeeklyAverage } from "../api/documents";
import { asCsv, saveAs } from "../download";
import type { MapCanvas } from "../map/canvas";
import { AREA_COLOURS, type Slot } from "../map/colours";
import { asRequest, filterParameters, MATCHES, shapeOfText, type Filter, type Match, type Shape } from "../question";
import { Icon } from "../shell/Icon";
import { say } from "../shell/Toasts";
import { theme } from "../theme";
import { knownRegion, warehouse } from "../warehouse";
import { addDays, count, date, decimal, share } from "../words";
import { headline, isOfWholeWeeks } from "./headline";
import { Notes } from "./Notes";
import { savePicture } from "./picture";
import { useAnswer, type Answer } from "./use_answer";
import { lazily } from "../shell/lazily";

const WeeklyChart = lazily(() => import("./WeeklyChart").then((module) => module.WeeklyChart));

const MATCH_NAMES: Record<Match, string> = { origin: "begin", destination: "end", both: "do both", either: "do either" };

/** An area in words. */
export function nameOf(region: string | null, shape: Shape | null): string {
  const drawn = shape === null ? null : shape.kind === "box" ? "box" : "polygon";
  if (region === null) return drawn === null ? "All trips" : `Drawn ${drawn}`;
  const name = knownRegion(region)?.name ?? region;
  return drawn === null ? name : `${name}, drawn ${drawn}`;
}

function ask(filter: Filter, match: Match, shape: Shape | null) {
  const parameters = filterParameters(filter);
  return asRequest("weekly-average", shape === null ? parameters : { ...parameters, match }, shape);
}

/** How many trips a week an area sees, alone or beside another. */
export function AnswerCard({ canvas }: { canvas: MapCanvas | null }) {
  const { filter, match, shape, other } = address.value;
  const otherFilter = { ...filter, region: other?.region ?? null };
  const one = useAnswer<WeeklyAverage>(ask(filter, match, shape));
  const two = useAnswer<WeeklyAverage>(other === null ? null : ask(otherFilter, match, other.shape));
  const isPending = one.isPending || two.isPending;
  const colours = AREA_COLOURS[theme.value];
  const names = { one: nameOf(filter.region, shape), two: other === null ? "" : nameOf(other.region, other.shape) };
  if (names.one === names.two) [names.one, names.two] = [`A: ${names.one}`, `B: ${names.two}`];
  const shown = [
    { name: names.one, colour: colours.one, answer: one.document },
    ...(other === null ? [] : [{ name: names.two, colour: colours.two, answer: two.document }]),
  ].flatMap(({ answer, ...rest }) => (answer === null ? [] : [{ ...rest, answer }]));
  const lines = shown.map(({ name, colour, answer }) => ({ name, colour, series: answer.series, average: headline(answer).average }));
  const hasPartial = lines.some((line) => line.series.some((week) => week.is_partial));
  const isDrawn = shape !== null || (other?.shape ?? null) !== null;
  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      say(`${what} copied`);
    } catch {
      say("The browser does not let this page copy");
    }
  };
  const words = () =>
    shown
      .map(({ name, answer }) => {
        const { average, words } = headline(answer);
        return `${name}: ${decimal(average)} trips a week (${words}; ${count(answer.trips)} trips)`;
      })
      .join("\n");
  const csv = () => {
    const weeks = [...new Set(lines.flatMap((line) => line.series.map(({ week }) => week)))].sort();
    const rows = weeks.map((week) => [week, ...lines.map((line) => line.series.find((each) => each.week === week)?.trips ?? 0)]);
    saveAs(asCsv(["week", ...(lines.length > 1 ? lines.map((line) => line.name) : ["trips"])], rows), "trips-a-week.csv");
  };
  return (
    <section class="answer" aria-label="Weekly average" aria-busy={isPending}>
      <Figure slot="one" name={names.one} colour={colours.one} answer={one} isCompared={other !== null} shape={shape} canvas={canvas} />
      {other !== null && (
        <>
          <Figure slot="two" name={names.two} colour={colours.two} answer={two} said={one.document} isCompared shape={other.shape} canvas={canvas} />
          <Comparison one={one.document} two={two.document} names={names} isPending={isPending} />
        </>
      )}
      {isDrawn && (
        <fieldset class="match">
          <legend>Trips that … in it</legend>
          <div class="segments">
            {MATCHES.map((value) => (
              <label key={value}>
                <input type="radio" name="match" value={value} checked={match === value} onChange={() => go({ match: value })} />
                <span>{MATCH_NAMES[value]}</span>
              </label>
            ))}
          </div>
        </fieldset>
      )}
      {lines.some((line) => line.series.length > 0) && (
        <Suspense fallback={<div class="chart-place" />}>
          <WeeklyChart
            lines={lines}
            onSelect={(from, to) => go({ filter: { ...filter, from, to: addDays(to, 6) } })}
          />
          <p class="quiet chart-note">
            Trips a week; the dashed line is the average.{hasPartial ? " Pale weeks were not seen whole." : ""} Drag over weeks to choose dates.
          </p>
        </Suspense>
      )}
      <div class="actions">
        <button type="button" onClick={() => void copy(link(), "Link")}>
          <Icon name="link" /> Link
        </button>
        <button type="button" disabled={lines.length === 0} onClick={() => void copy(words(), "Answer")}>
          <Icon name="copy" /> Copy
        </button>
        <button type="button" disabled={lines.length === 0} onClick={csv}>
          <Icon name="download" /> CSV
        </button>
        <button type="button" disabled={canvas === null} onClick={() => canvas && void savePicture(canvas, words())}>
          <Icon name="image" /> PNG
        </button>
      </div>
    </section>
  );
}

interface FigureProps {
  slot: Slot;
  name: string;
  colour: string;
  answer: Answer<WeeklyAverage>;
  /** An answer above this one, whose notes are not repeated. */
  said?: WeeklyAverage | null;
  isCompared: boolean;
  shape: Shape | null;
  canvas: MapCanvas | null;
}

function Figure({ slot, name, colour, answer: { document, problem, isPending }, said = null, isCompared, shape, canvas }: FigureProps) {
  const { other } = address.value;
  const setShape = (shape: Shape | null) => (slot === "one" ? go({ shape }) : other && go({ other: { ...other, shape } }));
  return (
    <div class={`figure ${isPending ? "is-pending" : ""}`} style={{ "--area": colour }}>
      <div class="panel-title">
        <h2>
          {isCompared && <span class="swatch" />}
          {name}
        </h2>
        {slot === "one" && !isCompared && (
          <button class="link" type="button" onClick={() => go({ other: { region: null, shape: null } })}>
            <Icon name="compare" /> Compare
          </button>
        )}
        {slot === "two" && (
          <button class="link" type="button" onClick={() => go({ other: null })}>
            Stop comparing
          </button>
        )}
      </div>
      {slot === "two" && other !== null && (
        <label class="field">
          <span class="only-heard">Region of the second area</span>
          <select value={other.region ?? ""} onChange={(event) => go({ other: { ...other, region: event.currentTarget.value || null } })}>
            <option value="">All regions</option>
            {warehouse.value?.regions.map((region) => (
              <option key={region.name} value={region.name}>
                {region.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {problem !== null && (
        <p class="error" role="alert">
          {problem.message}
        </p>
      )}
      {document !== null && (
        <>
          <p class="big" aria-live="polite">
            <strong data-test={`average-${slot}`}>{decimal(headline(document).average)}</strong> trips a week
          </p>
          <p class="quiet" data-test={`weeks-${slot}`}>
            {headline(document).words}
          </p>
          <p class="quiet">
            <span data-test={`trips-${slot}`}>{count(document.trips)}</span> {document.trips === 1 ? "trip" : "trips"}
            {spanOf(document)}
          </p>
          <Notes notes={notesOf(document, said)} />
        </>
      )}
      {document === null && problem === null && <p class="big is-empty">…</p>}
      <AreaText key={`${slot}${shape === null ? "" : JSON.stringify(shape)}`} slot={slot} shape={shape} canvas={canvas} onShape={setShape} />
    </div>
  );
}

interface AreaTextProps {
  slot: Slot;
  shape: Shape | null;
  canvas: MapCanvas | null;
  onShape(shape: Shape | null): void;
}

/** The area in numbers: to read, to type, and for those who cannot drag. */
function AreaText({ slot, shape, canvas, onShape }: AreaTextProps) {
  const [isWrong, setIsWrong] = useState(false);
  const label = slot === "one" ? "Box: west, south, east, north" : "Second box: west, south, east, north";
  const change = (text: string) => {
    const typed = shapeOfText(text.replace(/\s+/g, ""));
    setIsWrong(typed === null && text.trim() !== "");
    if (typed !== null || text.trim() === "") onShape(typed);
  };
  return (
    <div class="area-text">
      {shape?.kind === "polygon" ? (
        <p class="quiet">A polygon of {shape.ring.length} corners</p>
      ) : (
        <input
          type="text"
          inputMode="decimal"
          aria-label={label}
          aria-invalid={isWrong}
          placeholder="west, south, east, north"
          value={shape?.box.join(", ") ?? ""}
          onChange={(event) => change(event.currentTarget.value)}
        />
      )}
      {shape === null ? (
        <button type="button" disabled={canvas === null} onClick={() => canvas && onShape({ kind: "box", box: canvas.middle() })}>
          <Icon name="box" /> Box here
        </button>
      ) : (
        <button type="button" onClick={() => onShape(null)} aria-label={slot === "one" ? "Remove the area" : "Remove the second area"}>
          <Icon name="bin" />
        </button>
      )}
      {isWrong && (
        <p class="error" role="alert">
          Four numbers in degrees, as in 14.4, 50.0, 14.6, 50.1
        </p>
      )}
    </div>
  );
}

interface ComparisonProps {
  one: WeeklyAverage | null;
  two: WeeklyAverage | null;
  names: Record<Slot, string>;
  isPending: boolean;
}

function Comparison({ one, two, names, isPending }: ComparisonProps) {
  if (one === null || two === null || one.trips === 0 || two.trips === 0) return null;
  const ratio = headline(one).average / headline(two).average;
  if (!Number.isFinite(ratio) || ratio === 0) return null;
  const [more, less] = ratio >= 1 ? [names.one, names.two] : [names.two, names.one];
  const factor = Math.max(ratio, 1 / ratio);
  const difference = factor < 2 ? `${share(factor - 1)} more` : `${decimal(factor)} times as many`;
  return (
    <p class={`comparison ${isPending ? "is-pending" : ""}`}>
      {factor < 1.005 ? (
        "Both see as many trips a week."
      ) : (
        <>
          <strong>{more}</strong> sees <strong>{difference}</strong> trips a week {factor < 2 ? "than" : "as"} {less}.
        </>
      )}
    </p>
  );
}

/** The notes that are not said already: by the answer above, or by what the average is said to be of. */
function notesOf(document: WeeklyAverage, said: WeeklyAverage | null) {
  const messages = new Set(said?.notes.map((note) => note.message));
  const isSaid = (code: string) => code === "partial_weeks" && isOfWholeWeeks(document);
  return document.notes.filter((note) => !messages.has(note.message) && !isSaid(note.code));
}

function spanOf({ from, to }: WeeklyAverage): string {
  if (from === null || to === null) return "";
  return from === to ? `, ${date(from)}` : `, ${date(from)} to ${date(to)}`;
}
