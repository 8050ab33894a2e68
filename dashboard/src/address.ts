/** The state of the page is in its address, so that a link shares the view. */
import { signal } from "@preact/signals";
import { MATCHES, NO_FILTER, shapeAsText, shapeOfText, weekdaysAsText, type Filter, type Match, type Shape } from "./question";

export type Page = "map" | "files" | "metrics";
export type Layer = "origins" | "destinations" | "flows";
export interface Camera {
  lon: number;
  lat: number;
  zoom: number;
}
/** The second area of a comparison; its region stands in for the filter's. */
export interface Other {
  region: string | null;
  shape: Shape | null;
}
export interface Address {
  page: Page;
  layer: Layer;
  camera: Camera | null;
  filter: Filter;
  match: Match;
  shape: Shape | null;
  other: Other | null;
}

const PAGES: readonly Page[] = ["map", "files", "metrics"];
const LAYERS: readonly Layer[] = ["origins", "destinations", "flows"];
const WRITE_MS = 250;

export const address = signal<Address>(read(location.hash));

/** Change a part of the state; another page is a step in the browser's history, all else is not. */
export function go(change: Partial<Address>): void {
  const before = address.value;
  address.value = { ...before, ...change };
  if (change.page !== undefined && change.page !== before.page) history.pushState(null, "", asHash(address.value));
  else scheduleWrite();
}

export function filterBy(change: Partial<Filter>): void {
  go({ filter: { ...address.value.filter, ...change } });
}

/** The link to the present state. */
export function link(): string {
  return new URL(asHash(address.value), location.href).href;
}

let writing = 0;
// Browsers refuse a page that rewrites its address at every movement of the map.
function scheduleWrite(): void {
  clearTimeout(writing);
  writing = window.setTimeout(() => history.replaceState(null, "", asHash(address.value)), WRITE_MS);
}

window.addEventListener("popstate", () => {
  clearTimeout(writing);
  address.value = read(location.hash);
});

function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value {
  return values.find((value) => value === text) ?? (values[0] as Value);
}

export function read(hash: string): Address {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parameters = new URLSearchParams(query);
  const text = (name: string) => parameters.get(name) || null;
  const day = (name: string) => (/^\d{4}-\d\d-\d\d$/.test(text(name) ?? "") ? text(name) : null);
  const shape = (name: string) => shapeOfText(text(name) ?? "-");
  const other = { region: text("other-region"), shape: shape("other-area") };
  return {
    page: oneOf(PAGES, path),
    layer: oneOf(LAYERS, text("layer")),
    camera: readCamera(text("at")),
    filter: {
      ...NO_FILTER,
      region: text("region"),
      datasource: text("datasource"),
      hours: readHours(text("hours")),
      weekdays: readWeekdays(text("weekdays")),
      from: day("from"),
      to: day("to"),
    },
    match: oneOf(MATCHES, text("match")),
    shape: shape("area"),
    other: parameters.has("compare") ? other : null,
  };
}

function asHash(state: Address): string {
  const parameters = new URLSearchParams();
  const { filter, camera, other } = state;
  const set = (name: string, value: string | null | undefined) => value && parameters.set(name, value);
  set("layer", state.layer === "origins" ? null : state.layer);
  set("region", filter.region);
  set("datasource", filter.datasource);
  set("hours", filter.hours?.join("-"));
  set("weekdays", weekdaysAsText(filter.weekdays));
  set("from", filter.from);
  set("to", filter.to);
  set("match", state.match === "origin" ? null : state.match);
  set("area", state.shape && shapeAsText(state.shape));
  set("compare", other && "yes");
  set("other-region", other?.region);
  set("other-area", other?.shape && shapeAsText(other.shape));
  set("at", camera && [camera.lon.toFixed(4), camera.lat.toFixed(4), camera.zoom.toFixed(2)].join(","));
  const query = parameters.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
  return `#/${state.page}${query && `?${query}`}`;
}

function readCamera(text: string | null): Camera | null {
  const [lon, lat, zoom] = (text ?? "").split(",").map(Number);
  if (lon === undefined || lat === undefined || zoom === undefined) return null;
  if (!(Math.abs(lon) <= 180 && Math.abs(lat) <= 85 && zoom >= 0 && zoom <= 24)) return null;
  return { lon, lat, zoom };
}

function readHours(text: string | null): readonly [number, number] | null {
  const found = /^(\d{1,2})-(\d{1,2})$/.exec(text ?? "");
  const [first, last] = [Number(found?.[1]), Number(found?.[2])];
  return first <= 23 && last <= 23 ? [first, last] : null;
}

function readWeekdays(text: string | null): number[] {
  const days = (text ?? "").split(",").map(Number);
  return [...new Set(days)].filter((day) => Number.isInteger(day) && day >= 1 && day <= 7);
}
