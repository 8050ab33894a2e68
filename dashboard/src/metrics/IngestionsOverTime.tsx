import type { Ingestion } from "../api/documents";
import { brief, count, instant } from "../words";

const SHOWN = 24;

/** The latest ingestions from left to right, as tall as the rows they loaded. */
export function IngestionsOverTime({ ingestions }: { ingestions: readonly Ingestion[] }) {
  const shown = ingestions.slice(0, SHOWN).reverse();
  const most = Math.max(1, ...shown.map((ingestion) => ingestion.rows_read));
  const [first, last] = [shown[0], shown.at(-1)];
  return (
    <>
      <ol class="columns">
        {shown.map((ingestion) => (
          <li key={ingestion.id} title={`${ingestion.file_name}, ${instant(ingestion.created_at)}: ${count(ingestion.rows_loaded)} loaded, ${count(ingestion.rows_rejected)} rejected, ${ingestion.state}`}>
            <span class={`columns-bar is-${ingestion.state}`} style={{ height: `${Math.max(2, (100 * ingestion.rows_read) / most)}%` }} />
            <span class="only-heard">
              {ingestion.file_name}, {instant(ingestion.created_at)}: {count(ingestion.rows_read)} rows, {ingestion.state}
            </span>
          </li>
        ))}
      </ol>
      <p class="scale quiet">
        <span>{first && instant(first.created_at)}</span>
        <span>tallest: {brief(most)} rows</span>
        <span>{last && instant(last.created_at)}</span>
      </p>
    </>
  );
}
