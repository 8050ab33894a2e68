import type { Ingestion } from "../api/documents";
import { brief, count, instant } from "../words";

const SHOWN = 24;

const rows = (number: number, written = count): string => `${written(number)} ${number === 1 ? "row" : "rows"}`;

const described = ({ file_name, created_at, rows_read, rows_loaded, rows_rejected, state }: Ingestion): string =>
  `${file_name}, ${instant(created_at)}: ${rows(rows_read)} read, ${count(rows_loaded)} loaded, ${count(rows_rejected)} rejected, ${state}`;

/** The latest ingestions from left to right, as tall as the rows read from them. */
export function IngestionsOverTime({ ingestions }: { ingestions: readonly Ingestion[] }) {
  const shown = ingestions.slice(0, SHOWN).reverse();
  const most = Math.max(1, ...shown.map((ingestion) => ingestion.rows_read));
  const [first, last] = [shown[0], shown.at(-1)];
  return (
    <>
      <ol class="columns">
        {shown.map((ingestion) => (
          <li key={ingestion.id} title={described(ingestion)}>
            <span class={`columns-bar is-${ingestion.state}`} style={{ height: `${Math.max(2, (100 * ingestion.rows_read) / most)}%` }} />
            <span class="only-heard">{described(ingestion)}</span>
          </li>
        ))}
      </ol>
      <p class="scale quiet">
        <span>{first && instant(first.created_at)}</span>
        <span>tallest: {rows(most, brief)} read</span>
        <span>{last && instant(last.created_at)}</span>
      </p>
    </>
  );
}
