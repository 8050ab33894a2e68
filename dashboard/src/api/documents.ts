/** The API's documents under short names; their fields come from openapi.json. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Ingestion = Schemas["Ingestion"];
export type IngestionPage = Schemas["IngestionPage"];
export type Region = Schemas["Region"];
export type Datasource = Schemas["Datasource"];
export type WeeklyAverage = Schemas["WeeklyAverage"];
export type WeekCount = Schemas["WeekCount"];
export type Place = Schemas["Cell"];

export interface WeekdayHourCount {
  weekday: number;
  hour: number;
  trips: number;
}
export interface LengthCount {
  from_km: number;
  to_km: number | null;
  trips: number;
}
export interface ReasonCount {
  reason: string;
  rows: number;
}
export type TripMetrics = Schemas["TripMetrics"] & {
  weeks?: WeekCount[];
  weekday_hours?: WeekdayHourCount[];
  lengths?: LengthCount[];
  rejected_reasons?: ReasonCount[];
};
export type CellCount = Schemas["CellCount"];
export type CellCounts = Schemas["CellCounts"];
export type Flow = Schemas["Flow"];
export type FlowPage = Schemas["FlowPage"];
