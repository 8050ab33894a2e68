import { useMemo } from "preact/hooks";
import { address, filterBy } from "../address";
import type { WeekCount } from "../api/documents";
import { addDays, asUtc, date, mondayOf } from "../words";
import { RangeHistogram } from "./RangeHistogram";

const WEEK_MS = 7 * 86_400_000;

interface Props {
  weeks: readonly WeekCount[];
  /** When the first and the last trip were. */
  first: string | null;
  last: string | null;
}

/** A slider over the weeks that have trips, and two dates for whoever wants it to the day. */
export function DateFilter({ weeks, first, last }: Props) {
  const { from, to } = address.value.filter;
  const start = weeks[0]?.week ?? "";
  const counts = useMemo(() => {
    const last = weeks.at(-1)?.week;
    const filled = new Array<number>(last === undefined ? 0 : weeksBetween(start, last) + 1).fill(0);
    for (const { week, trips } of weeks) filled[weeksBetween(start, week)] = trips;
    return filled;
  }, [weeks]);
  const end = counts.length - 1;
  const place = (day: string) => Math.max(0, Math.min(end, weeksBetween(start, mondayOf(day))));
  const value = from === null && to === null ? null : ([from === null ? 0 : place(from), to === null ? end : place(to)] as const);
  const change = (range: readonly [number, number] | null) => {
    if (range === null) filterBy({ from: null, to: null });
    else filterBy({ from: addDays(start, range[0] * 7), to: addDays(start, range[1] * 7 + 6) });
  };
  const [earliest, latest] = [first?.slice(0, 10), last?.slice(0, 10)];
  return (
    <fieldset>
      <legend>Dates</legend>
      {counts.length > 1 && (
        <RangeHistogram label="week" counts={counts} value={value} nameOf={(index) => `week of ${date(addDays(start, index * 7))}`} onChange={change} />
      )}
      <div class="dates">
        <label class="field">
          From
          <input type="date" value={from ?? ""} min={earliest} max={to ?? latest} onChange={(event) => filterBy({ from: event.currentTarget.value || null })} />
        </label>
        <label class="field">
          To
          <input type="date" value={to ?? ""} min={from ?? earliest} max={latest} onChange={(event) => filterBy({ to: event.currentTarget.value || null })} />
        </label>
      </div>
    </fieldset>
  );
}

function weeksBetween(start: string, week: string): number {
  return Math.round((asUtc(week).getTime() - asUtc(start).getTime()) / WEEK_MS);
}
