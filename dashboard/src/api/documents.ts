/** The API's documents under short names; their fields come from openapi.json. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Ingestion = Schemas["Ingestion"];
export type IngestionPage = Schemas["IngestionPage"];
export type RegionList = Schemas["RegionList"];
export type DatasourceList = Schemas["DatasourceList"];
export type Region = Schemas["Region"];
export type Datasource = Schemas["Datasource"];
export type WeeklyAverage = Schemas["WeeklyAverage"];
export type WeekCount = Schemas["WeekCount"];
export type AveragedWeek = Schemas["AveragedWeek"];
export type Note = Schemas["Note"];
export type Place = Schemas["Cell"];

export type WeekdayHourCount = Schemas["WeekdayHourCount"];
export type LengthCount = Schemas["LengthCount"];
export type TripMetrics = Schemas["TripMetrics"];
export type CellCount = Schemas["CellCount"];
export type CellCounts = Schemas["CellCounts"];
export type Flow = Schemas["Flow"];
export type FlowPage = Schemas["FlowPage"];
