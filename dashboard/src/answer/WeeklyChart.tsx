import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { AveragedWeek } from "../api/documents";
import { theme } from "../theme";
import { brief, count, date, dateShort } from "../words";

const HEIGHT = 150;
const GAP = 0.3;
// How opaque, in two hexadecimal digits.
const [FAINT, FULL] = ["59", "e6"];

export interface Line {
  name: string;
  colour: string;
  series: readonly AveragedWeek[];
  average: number;
}

interface Props {
  lines: readonly Line[];
  /** Called with the first and last week that were dragged over. */
  onSelect?(from: string, to: string): void;
}

/** Trips a week as bars, an area a colour; partial weeks are pale. Dragging over it chooses dates. */
export function WeeklyChart({ lines, onSelect }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const weeks = [...new Set(lines.flatMap((line) => line.series.map(({ week }) => week)))].sort();
  const partial = lines.map((line) => new Set(line.series.filter((week) => week.is_partial).map(({ week }) => week)));
  const isPartial = (week: string) => partial.some((weeks) => weeks.has(week));
  const key = JSON.stringify([weeks, lines, theme.value]);
  useEffect(() => {
    const container = place.current;
    if (container === null || weeks.length === 0) return;
    const css = getComputedStyle(container);
    const [ink, grid] = [css.getPropertyValue("--quiet"), css.getPropertyValue("--line")];
    const counts = lines.map((line) => {
      const byWeek = new Map(line.series.map(({ week, trips }) => [week, trips]));
      return weeks.map((week) => byWeek.get(week) ?? 0);
    });
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px Inter Variable" };
    const bars = (number: number) =>
      uPlot.paths.bars?.({
        size: [(1 - GAP) / lines.length, 26],
        radius: 0.18,
        // Two areas stand side by side: one left of the week's place, the other right of it.
        align: lines.length === 1 ? 0 : number === 0 ? -1 : 1,
        disp: { fill: { unit: 3, values: () => weeks.map((week) => (lines[number]?.colour ?? ink) + (partial[number]?.has(week) ? FAINT : FULL)) } },
      });
    const shown = lines.map((line, number) => {
      const paths = bars(number);
      return { label: line.name, fill: line.colour, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
    });
    const chart = new uPlot(
      {
        width: container.clientWidth,
        height: HEIGHT,
        padding: [8, 6, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: onSelect !== undefined, setScale: false } },
        scales: {
          x: { time: false, range: [-0.6, Math.max(0.6, weeks.length - 0.4)] },
          y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 26,
            incrs: [1, 2, 4, 8, 13, 26, 52, 104, 208],
            space: 52,
            values: (_, splits) => splits.map((index) => (weeks[index] === undefined ? "" : dateShort(weeks[index]))),
          },
          { ...axis, size: 44, space: 34, values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? brief(value) : "")) },
        ],
        series: [{}, ...shown],
        hooks: {
          draw: [(plot) => lines.forEach((line) => drawAverage(plot, line))],
          setCursor: [(plot) => showTip(plot)],
          setSelect: [(plot) => select(plot)],
        },
      },
      [weeks.map((_, index) => index), ...counts] as uPlot.AlignedData,
      container,
    );
    function showTip(plot: uPlot): void {
      const element = tip.current;
      const index = plot.cursor.idx;
      const week = index === null || index === undefined ? undefined : weeks[index];
      if (element === null) return;
      element.hidden = week === undefined || (plot.cursor.left ?? -1) < 0;
      if (week === undefined || index === null || index === undefined) return;
      const words = lines.map((line, number) => `${lines.length > 1 ? `${line.name}: ` : ""}${count(counts[number]?.[index] ?? 0)} trips`);
      element.textContent = `Week of ${date(week)}${isPartial(week) ? " (partial)" : ""}\n${words.join("\n")}`;
      const left = plot.valToPos(index, "x") + plot.bbox.left / devicePixelRatio;
      element.style.left = `${Math.max(70, Math.min(plot.width - 70, left))}px`;
    }
    function select(plot: uPlot): void {
      const { left, width } = plot.select;
      if (width < 4 || onSelect === undefined) return;
      const at = (position: number) => weeks[Math.max(0, Math.min(weeks.length - 1, Math.round(plot.posToVal(position, "x"))))];
      const [from, to] = [at(left), at(left + width)];
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      if (from !== undefined && to !== undefined) onSelect(from, to);
    }
    const watcher = new ResizeObserver(() => chart.setSize({ width: container.clientWidth, height: HEIGHT }));
    watcher.observe(container);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
  }, [key]);
  return (
    <div class="chart">
      <div ref={place} aria-hidden="true" />
      <div ref={tip} class="chart-tip" hidden />
      <table class="only-heard">
        <caption>Trips a week</caption>
        <thead>
          <tr>
            <th scope="col">Week of</th>
            {lines.map((line) => (
              <th scope="col" key={line.name}>
                {line.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week}>
              <th scope="row">
                {date(week)}
                {isPartial(week) ? ", partial" : ""}
              </th>
              {lines.map((line) => (
                <td key={line.name}>{line.series.find((one) => one.week === week)?.trips ?? 0}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function drawAverage(plot: uPlot, line: Line): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(line.average, "y", true);
  if (line.average <= 0 || y < bbox.top) return;
  ctx.save();
  ctx.strokeStyle = line.colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
