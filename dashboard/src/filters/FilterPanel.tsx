import { useMemo } from "preact/hooks";
import { address, filterBy, go } from "../address";
import type { TripMetrics } from "../api/documents";
import { useAnswer } from "../answer/use_answer";
import { asRequest, NO_FILTER } from "../question";
import { knownRegion, warehouse } from "../warehouse";
import { brief, clock, count, weekday, weekdayName } from "../words";
import { DateFilter } from "./DateFilter";
import { RangeHistogram } from "./RangeHistogram";

const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = 24;

/** Region, data source, hour, weekday and dates; every part of the map page follows them. */
export function FilterPanel() {
  const { filter } = address.value;
  const all = warehouse.value;
  const region = knownRegion(filter.region);
  const isKnown = region !== undefined;
  const { document: metrics } = useAnswer<TripMetrics>(
    all === null || all.trips === 0 ? null : asRequest("metrics/trips", isKnown ? { region: region.name } : {}, null),
  );
  const hours = useMemo(() => sumBy(metrics, HOURS, "hour"), [metrics]);
  const days = useMemo(() => sumBy(metrics, WEEKDAYS.length + 1, "weekday"), [metrics]);
  if (all === null) return <p class="quiet">Loading …</p>;
  const hoursName = filter.hours === null ? "all day" : `${clock(filter.hours[0])} – ${clock((filter.hours[1] + 1) % HOURS)}`;
  const isFiltered = JSON.stringify(filter) !== JSON.stringify(NO_FILTER);
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()} aria-label="Filters">
      <div class="panel-title">
        <h2>Filters</h2>
        <button class="link" type="button" disabled={!isFiltered} onClick={() => go({ filter: NO_FILTER })}>
          Reset
        </button>
      </div>
      <label class="field">
        Region
        <select value={filter.region ?? ""} onChange={(event) => filterBy({ region: event.currentTarget.value || null })}>
          <option value="">All regions · {count(all.trips)}</option>
          {filter.region !== null && !isKnown && <option value={filter.region}>{filter.region} · not there</option>}
          {all.regions.map(({ name, trips }) => (
            <option key={name} value={isSame(name, filter.region) ? (filter.region ?? "") : name}>
              {name} · {count(trips)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Data source
        <select value={filter.datasource ?? ""} onChange={(event) => filterBy({ datasource: event.currentTarget.value || null })}>
          <option value="">All sources</option>
          {all.datasources.map(({ name, trips }) => (
            <option key={name} value={name}>
              {name} · {count(trips)}
            </option>
          ))}
        </select>
      </label>
      <fieldset>
        <legend>
          Hour of day <output>{hoursName}</output>
        </legend>
        <RangeHistogram label="hour" counts={hours} value={filter.hours} nameOf={clock} wraps onChange={(hours) => filterBy({ hours })} />
        <p class="scale" aria-hidden="true">
          <span>0</span>
          <span>6</span>
          <span>12</span>
          <span>18</span>
          <span>24</span>
        </p>
      </fieldset>
      <fieldset>
        <legend>Weekday</legend>
        <div class="weekdays">
          {WEEKDAYS.map((number) => (
            <label key={number} title={`${weekdayName(number)}: ${count(days[number] ?? 0)} trips`}>
              <input
                type="checkbox"
                checked={filter.weekdays.includes(number)}
                aria-label={weekdayName(number)}
                onChange={() => filterBy({ weekdays: toggled(filter.weekdays, number) })}
              />
              <span aria-hidden="true">{weekday(number).slice(0, 2)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <DateFilter weeks={metrics?.weeks ?? []} first={(region ?? all).first_trip} last={(region ?? all).last_trip} />
      <p class="quiet total">
        {isKnown ? `${brief(region.trips)} of ` : ""}
        {brief(all.trips)} trips in the warehouse
      </p>
    </form>
  );
}

function isSame(one: string, other: string | null): boolean {
  return one.toLowerCase() === other?.toLowerCase();
}

function toggled(weekdays: readonly number[], number: number): number[] {
  const next = weekdays.includes(number) ? weekdays.filter((one) => one !== number) : [...weekdays, number];
  return next.length === WEEKDAYS.length ? [] : next;
}

function sumBy(metrics: TripMetrics | null, size: number, key: "hour" | "weekday"): number[] {
  const sums = new Array<number>(size).fill(0);
  for (const each of metrics?.weekday_hours ?? []) sums[each[key]] = (sums[each[key]] ?? 0) + each.trips;
  return sums;
}
