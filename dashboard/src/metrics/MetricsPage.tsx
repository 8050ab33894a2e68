import { go } from "../address";
import type { TripMetrics, WeeklyAverage } from "../api/documents";
import { headline } from "../answer/headline";
import { Notes } from "../answer/Notes";
import { useAnswer } from "../answer/use_answer";
import { WeeklyChart } from "../answer/WeeklyChart";
import { ingestions } from "../live";
import { NO_FILTER } from "../question";
import { Welcome } from "../shell/Welcome";
import { theme } from "../theme";
import { brief, count, date, localTime, share } from "../words";
import { HourTable } from "./HourTable";
import { IngestionsOverTime } from "./IngestionsOverTime";
import { Lengths } from "./Lengths";

/** What the warehouse holds, in figures. */
export function MetricsPage() {
  const { document: metrics, problem } = useAnswer<TripMetrics>({ path: "metrics/trips", init: {} });
  const { document: weekly } = useAnswer<WeeklyAverage>({ path: "weekly-average", init: {} });
  if (problem !== null && metrics === null) {
    return (
      <p class="error" role="alert">
        {problem.message}
      </p>
    );
  }
  if (metrics === null) return <p class="quiet centred">Counting …</p>;
  if (metrics.trips === 0) return <Welcome />;
  const seen = { from: metrics.first_trip?.slice(0, 10) ?? null, to: metrics.last_trip?.slice(0, 10) ?? null };
  const colour = theme.value === "dark" ? "#56b4d8" : "#2c54a0";
  const rows = metrics.trips + metrics.rejected;
  return (
    <div class="column wide">
      <div class="page-title">
        <div>
          <h1>Metrics</h1>
          <p class="quiet">What the warehouse holds, by trips that were loaded. Times are local to the trip.</p>
        </div>
      </div>
      <ul class="tiles">
        <Tile name="Trips" value={count(metrics.trips)} note={seen.from && seen.to ? `${date(seen.from)} to ${date(seen.to)}` : ""} />
        <Tile name="Regions" value={count(metrics.regions.length)} note={metrics.regions[0] ? `most in ${metrics.regions[0].name}` : ""} />
        <Tile name="Data sources" value={count(metrics.datasources.length)} note={metrics.datasources[0] ? `most from ${metrics.datasources[0].name}` : ""} />
        <Tile name="Files" value={count(metrics.ingestions)} note="loaded" />
        <Tile name="Rejected rows" value={count(metrics.rejected)} note={rows === 0 ? "" : `${share(metrics.rejected / rows)} of all rows`} />
      </ul>
      <div class="board">
        {weekly !== null && (
          <Card title="Trips a week" isWide>
            <WeeklyChart lines={[{ name: "Trips", colour, series: weekly.series, average: headline(weekly).average }]} />
            <Notes notes={weekly.notes} />
          </Card>
        )}
        {metrics.weekday_hours.length > 0 && (
          <Card title="When trips begin" isWide>
            <HourTable counts={metrics.weekday_hours} />
          </Card>
        )}
        <Card title="Regions" isWide>
          <div class="scroll" tabIndex={0} role="region" aria-label="Regions">
            <table>
              <thead>
                <tr>
                  <th scope="col">Region</th>
                  <th scope="col" class="number">
                    Trips
                  </th>
                  <th scope="col">Latest source</th>
                  <th scope="col">First trip</th>
                  <th scope="col">Last trip</th>
                </tr>
              </thead>
              <tbody>
                {metrics.regions.map((region) => (
                  <tr key={region.name}>
                    <th scope="row">
                      <button class="link" type="button" onClick={() => go({ page: "map", filter: { ...NO_FILTER, region: region.name }, shape: null, other: null })}>
                        {region.name}
                      </button>
                    </th>
                    <td class="number">
                      <Bar value={region.trips} most={metrics.regions[0]?.trips ?? 1} />
                      <span class="figure-cell">{count(region.trips)}</span>
                    </td>
                    <td>{region.latest_datasource}</td>
                    <td>{localTime(region.first_trip)}</td>
                    <td>{localTime(region.last_trip)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Card>
        <Card title="Data sources">
          <div class="scroll" tabIndex={0} role="region" aria-label="Data sources">
            <table>
              <thead>
                <tr>
                  <th scope="col">Source</th>
                  <th scope="col" class="number">
                    Trips
                  </th>
                  <th scope="col">Seen in</th>
                </tr>
              </thead>
              <tbody>
                {metrics.datasources.map((source) => (
                  <tr key={source.name}>
                    <th scope="row">{source.name}</th>
                    <td class="number">
                      <Bar value={source.trips} most={metrics.datasources[0]?.trips ?? 1} />
                      <span class="figure-cell">{brief(source.trips)}</span>
                    </td>
                    <td class="quiet">{source.regions.join(", ")}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Card>
        {metrics.lengths.length > 0 && (
          <Card title="How far trips go">
            <Lengths counts={metrics.lengths} />
          </Card>
        )}
        {ingestions.value.length > 0 && (
          <Card title="Ingestions over time">
            <IngestionsOverTime ingestions={ingestions.value} />
          </Card>
        )}
        {metrics.rejected_reasons.length > 0 && (
          <Card title="Why rows were rejected">
            <ul class="reasons">
              {metrics.rejected_reasons.map(({ reason, rows }) => (
                <li key={reason}>
                  <span class="reason-bar" style={{ width: `${(100 * rows) / (metrics.rejected_reasons[0]?.rows ?? 1)}%` }} />
                  <span>{reason}</span>
                  <strong>{count(rows)}</strong>
                </li>
              ))}
            </ul>
          </Card>
        )}
      </div>
    </div>
  );
}

function Tile({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <li class="card tile">
      <span class="quiet">{name}</span>
      <strong>{value}</strong>
      <span class="quiet">{note}</span>
    </li>
  );
}

function Card({ title, isWide = false, children }: { title: string; isWide?: boolean; children: preact.ComponentChildren }) {
  return (
    <section class={`card ${isWide ? "is-wide" : ""}`} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Bar({ value, most }: { value: number; most: number }) {
  return (
    <span class="inline-bar" aria-hidden="true">
      <span style={{ width: `${(100 * value) / most}%` }} />
    </span>
  );
}
