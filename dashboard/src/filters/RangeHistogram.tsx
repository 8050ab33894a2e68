interface Props {
  /** What the range is of, for those who hear the page. */
  label: string;
  counts: readonly number[];
  value: readonly [number, number] | null;
  nameOf(index: number): string;
  /** Whether the first may lie after the last, which then goes around the end: hours over midnight. */
  wraps?: boolean;
  onChange(value: readonly [number, number] | null): void;
}

/** A histogram with a range slider on it: two sliders on one track, each reachable by keyboard. */
export function RangeHistogram({ label, counts, value, nameOf, wraps = false, onChange }: Props) {
  const end = Math.max(0, counts.length - 1);
  const [first, last] = value ?? [0, end];
  const most = Math.max(1, ...counts);
  const isIn = (index: number) => (first <= last ? index >= first && index <= last : index >= first || index <= last);
  const change = (from: number, to: number) => {
    const [low, high] = wraps || from <= to ? [from, to] : [to, from];
    onChange(low === 0 && high === end ? null : [low, high]);
  };
  const slider = (which: "First" | "Last", index: number) => (
    <input
      type="range"
      min={0}
      max={end}
      value={index}
      aria-label={`${which} ${label}`}
      aria-valuetext={nameOf(index)}
      onInput={(event) => {
        const moved = Number(event.currentTarget.value);
        if (which === "First") change(moved, last);
        else change(first, moved);
      }}
    />
  );
  return (
    <div class="range-histogram">
      <div class="bars" aria-hidden="true">
        {counts.map((count, index) => (
          <span key={index} class={isIn(index) ? "bar is-in" : "bar"} style={{ height: `${count === 0 ? 0 : Math.max(4, (100 * count) / most)}%` }} />
        ))}
      </div>
      <div class="sliders">
        {slider("First", first)}
        {slider("Last", last)}
      </div>
    </div>
  );
}
