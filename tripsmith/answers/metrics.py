"""Metrics of what was ingested: trips, rejected rows, the first and last trip, by region and by data source."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from tripsmith.answers.notes import answer_notes
from tripsmith.answers.selection import EVERY_NAME, Selection
from tripsmith.note import Note
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "metrics.sql")


@dataclass(frozen=True, slots=True)
class RegionSummary:
    """A region's trips, local times of its first and last, and the data source of the last."""

    name: str
    trips: int
    first_trip: datetime
    last_trip: datetime
    latest_datasource: str

    def as_json(self) -> dict[str, Any]:
        """Return the region as the API shows it."""
        return _with_iso_times(asdict(self))


@dataclass(frozen=True, slots=True)
class DatasourceSummary:
    """A data source's trips, local times of its first and last, and the regions that it is seen in."""

    name: str
    trips: int
    first_trip: datetime
    last_trip: datetime
    regions: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return the data source as the API shows it."""
        return _with_iso_times(asdict(self))


@dataclass(frozen=True, slots=True)
class TripMetrics:
    """What the warehouse holds."""

    trips: int
    rejected: int
    ingestions: int
    first_trip: datetime | None
    last_trip: datetime | None
    regions: list[RegionSummary]
    datasources: list[DatasourceSummary]
    notes: tuple[Note, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the document of the API."""
        return {
            "trips": self.trips,
            "rejected": self.rejected,
            "ingestions": self.ingestions,
            "first_trip": self.first_trip.isoformat() if self.first_trip else None,
            "last_trip": self.last_trip.isoformat() if self.last_trip else None,
            "regions": [region.as_json() for region in self.regions],
            "datasources": [datasource.as_json() for datasource in self.datasources],
            "notes": [note.as_json() for note in self.notes],
        }


def list_regions(connection: Connection[Any]) -> list[RegionSummary]:
    """Return the regions that have trips, most trips first."""
    with connection.cursor(row_factory=class_row(RegionSummary)) as cursor:
        return cursor.execute(QUERIES["list_regions"]).fetchall()


def list_datasources(connection: Connection[Any]) -> list[DatasourceSummary]:
    """Return the data sources that have trips, most trips first."""
    with connection.cursor(row_factory=class_row(DatasourceSummary)) as cursor:
        return cursor.execute(QUERIES["list_datasources"]).fetchall()


def trip_metrics(connection: Connection[Any]) -> TripMetrics:
    """Return the metrics of all ingestions that succeeded, as of one moment."""
    with connection.transaction():
        connection.execute(QUERIES["one_snapshot"])
        regions, datasources = list_regions(connection), list_datasources(connection)
        row = connection.execute(QUERIES["sum_ingestions"]).fetchone()
        notes = answer_notes(connection, Selection(), EVERY_NAME)
    rejected, ingestions = row or (0, 0)
    return TripMetrics(
        trips=sum(region.trips for region in regions),
        rejected=rejected,
        ingestions=ingestions,
        first_trip=min((region.first_trip for region in regions), default=None),
        last_trip=max((region.last_trip for region in regions), default=None),
        regions=regions,
        datasources=datasources,
        notes=tuple(notes),
    )


def _with_iso_times(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in document.items()}
