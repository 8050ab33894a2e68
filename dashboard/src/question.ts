/** What is asked of the warehouse: filters, areas, and how both are said to the API. */
export type Match = "origin" | "destination" | "both" | "either";
export const MATCHES: readonly Match[] = ["origin", "destination", "both", "either"];

/** West, south, east, north in degrees. */
export type Box = readonly [number, number, number, number];
export type Ring = readonly (readonly [number, number])[];
export type Shape = { kind: "box"; box: Box } | { kind: "polygon"; ring: Ring };

/** First and last hour of the local day, both included; a first hour after the last goes over midnight. */
export type Hours = readonly [number, number];

export interface Filter {
  region: string | null;
  datasource: string | null;
  hours: Hours | null;
  /** ISO weekdays, Monday 1; empty means all. */
  weekdays: readonly number[];
  from: string | null;
  to: string | null;
}

export const NO_FILTER: Filter = { region: null, datasource: null, hours: null, weekdays: [], from: null, to: null };

type Parameters = Record<string, string>;
const DECIMALS = 5;

export function rounded(degrees: number): number {
  return Number(degrees.toFixed(DECIMALS));
}

export function weekdaysAsText(weekdays: readonly number[]): string {
  return [...weekdays].sort().join(",");
}

export function filterParameters(filter: Filter): Parameters {
  const parameters: Parameters = {};
  if (filter.region !== null) parameters.region = filter.region;
  if (filter.datasource !== null) parameters.datasource = filter.datasource;
  if (filter.hours !== null) parameters.hours = filter.hours.join("-");
  if (filter.weekdays.length > 0) parameters.weekdays = weekdaysAsText(filter.weekdays);
  if (filter.from !== null) parameters.from = filter.from;
  if (filter.to !== null) parameters.to = filter.to;
  return parameters;
}

export interface Asked {
  path: string;
  init: RequestInit;
}

/** A question as a request: a polygon does not fit an address, so it goes by POST. */
export function asRequest(resource: string, parameters: Parameters, shape: Shape | null): Asked {
  if (shape?.kind === "polygon") {
    const area = { type: "Polygon", coordinates: [[...shape.ring, shape.ring[0]]] };
    const body = JSON.stringify({ ...withNumbers(parameters), area });
    return { path: resource, init: { method: "POST", body, headers: { "Content-Type": "application/json" } } };
  }
  const query = new URLSearchParams(shape === null ? parameters : { ...parameters, bbox: shape.box.join(",") });
  return { path: query.size > 0 ? `${resource}?${query}` : resource, init: {} };
}

function withNumbers(parameters: Parameters): Record<string, string | number> {
  const named = (name: string) => name === "zoom" || name === "limit";
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, named(name) ? Number(value) : value]),
  );
}

export function shapeAsText(shape: Shape): string {
  return shape.kind === "box" ? shape.box.join(",") : shape.ring.map((point) => point.join(",")).join(";");
}

export function shapeOfText(text: string): Shape | null {
  const points = text.split(";").map((part) => part.split(",").map(Number));
  if (points.flat().some((number) => !Number.isFinite(number))) return null;
  const [first] = points;
  if (points.length === 1 && first?.length === 4) {
    const [west, south, east, north] = first as [number, number, number, number];
    const isOnEarth = Math.abs(west) <= 180 && Math.abs(east) <= 180 && south >= -90 && north <= 90 && south <= north;
    return isOnEarth ? { kind: "box", box: [west, south, east, north] } : null;
  }
  if (points.length < 3 || points.some((point) => point.length !== 2)) return null;
  return { kind: "polygon", ring: points as [number, number][] };
}

export function shapeBounds(shape: Shape): Box {
  if (shape.kind === "box") return shape.box;
  const lons = shape.ring.map(([lon]) => lon);
  const lats = shape.ring.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
