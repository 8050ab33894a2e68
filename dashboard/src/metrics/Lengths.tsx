import type { LengthCount } from "../api/documents";
import { count, share } from "../words";

/** How many trips are how long, as the crow flies. */
export function Lengths({ counts }: { counts: readonly LengthCount[] }) {
  const most = Math.max(1, ...counts.map(({ trips }) => trips));
  const all = Math.max(1, counts.reduce((sum, { trips }) => sum + trips, 0));
  return (
    <ul class="reasons">
      {counts.map(({ from_km, to_km, trips }) => (
        <li key={from_km} title={`${count(trips)} trips`}>
          <span class="reason-bar" style={{ width: `${(100 * trips) / most}%` }} />
          <span>{to_km === null ? `${from_km} km and more` : `${from_km} – ${to_km} km`}</span>
          <strong>{share(trips / all)}</strong>
        </li>
      ))}
    </ul>
  );
}
