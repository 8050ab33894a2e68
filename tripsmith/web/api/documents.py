"""The JSON documents of the API, as its OpenAPI document describes them; types for clients are made from these."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tripsmith.answers.selection import Match
from tripsmith.ingestion.ingestion import Phase, State


class Document(BaseModel):
    """A document has the fields that it says and no others."""

    model_config = ConfigDict(extra="forbid")


class Note(BaseModel):
    """What would mislead about an answer or an ingestion: a code, a sentence, and the numbers it is about."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str


class Ingestion(Document):
    """One file's way through the layers, as it is now; the live event `ingestion` is the same document."""

    id: str
    file_name: str
    state: State
    phase: Phase | None = Field(description="The earliest layer that is not complete.")
    bytes_done: int
    bytes_total: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_per_second: float | None
    eta_seconds: float | None
    message: str | None
    error: str | None
    notes: list[Note]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class IngestionPage(Document):
    """Ingestions, newest first."""

    ingestions: list[Ingestion]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Area(Document):
    """Where the trips are: a region, a box as west, south, east, north, a GeoJSON polygon, or (all null) anywhere."""

    region: str | None
    bbox: list[float] | None
    polygon: dict[str, Any] | None


class WeekCount(Document):
    """A week, named by its Monday, and its trips."""

    week: date
    trips: int


class AveragedWeek(WeekCount):
    """A week that is averaged over; it is partial where the data or the dates begin or end within it."""

    is_partial: bool


class WholeWeeks(Document):
    """The weeks that are not partial, their trips and their average."""

    weeks: int
    trips: int
    weekly_average: float


class WeeklyAverage(Document):
    """Trips a week over all weeks from `from` to `to`, those without trips too.

    Where the question has no such date, it is that of the first or last trip of the region and data source. `series`
    has every week; of more than 1,000, those with trips.
    """

    area: Area
    match: Match
    from_: date | None = Field(alias="from")
    to: date | None
    weeks: int
    trips: int
    weekly_average: float
    whole_weeks: WholeWeeks
    series: list[AveragedWeek]
    notes: list[Note]


class Cell(Document):
    """A cell's centre and its bounds as west, south, east, north, in degrees."""

    lon: float
    lat: float
    bounds: list[float]


class TripGroup(Document):
    """Trips with the same origin cell, destination cell and hour; a cell is a quadbin in hexadecimal digits."""

    origin_cell: str
    destination_cell: str
    hour: int
    trips: int
    origin: Cell
    destination: Cell


class TripGroupPage(Document):
    """Trip groups, most trips first."""

    zoom: int
    groups: list[TripGroup]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")
    notes: list[Note]


class Flow(Document):
    """Trips with the same origin cell and destination cell."""

    origin_cell: str
    destination_cell: str
    trips: int
    origin: Cell
    destination: Cell


class FlowPage(Document):
    """Flows, most trips first."""

    zoom: int
    flows: list[Flow]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")
    notes: list[Note]


class CellCount(Document):
    """A cell, a quadbin in hexadecimal digits, and its trips."""

    cell: str
    trips: int


class CellCounts(Document):
    """The cells in view that have trips, most trips first."""

    zoom: int
    cells: list[CellCount]


class Region(Document):
    """A region; times are local, as the file states them."""

    name: str
    trips: int
    first_trip: datetime
    last_trip: datetime
    latest_datasource: str


class RegionList(Document):
    """All regions that have trips, most trips first."""

    regions: list[Region]


class Datasource(Document):
    """A data source and the regions that it is seen in."""

    name: str
    trips: int
    first_trip: datetime
    last_trip: datetime
    regions: list[str]


class DatasourceList(Document):
    """All data sources that have trips, most trips first."""

    datasources: list[Datasource]


class WeekdayHourCount(Document):
    """A day of the week, 1 being Monday, an hour of the local day, and the trips that start then."""

    weekday: int
    hour: int
    trips: int


class LengthCount(Document):
    """Trips whose ends are so many kilometres apart, `to_km` excluded (null: or more), as the crow flies."""

    from_km: int
    to_km: int | None
    trips: int


class ReasonCount(Document):
    """Why rows were rejected, without what they held; a row may have several reasons."""

    reason: str
    rows: int


class TripMetrics(Document):
    """What the warehouse holds."""

    trips: int
    rejected: int
    ingestions: int
    first_trip: datetime | None
    last_trip: datetime | None
    regions: list[Region]
    datasources: list[Datasource]
    notes: list[Note]
    weeks: list[WeekCount]
    weekday_hours: list[WeekdayHourCount]
    lengths: list[LengthCount]
    rejected_reasons: list[ReasonCount]


class Health(Document):
    """The server is there."""

    status: str


class Readiness(Document):
    """The server can answer; `workers` says how many processes there are, on all machines, that take what is sent."""

    status: str
    workers: int
