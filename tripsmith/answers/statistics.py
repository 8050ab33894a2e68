"""Statistics of trips by week, by day of the week and hour, and by length, and of rejected rows by reason."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from psycopg import Connection, sql

from tripsmith.answers.places import Snapshot, snapshot
from tripsmith.answers.selection import Selection, find_names
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "statistics.sql")

# Kilometres as the crow flies; the last class has no upper end.
LENGTHS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class TripStatistics:
    """`weekday_hours` are by day of the week (1 is Monday) and hour, `lengths` by the first kilometre of a class."""

    weeks: list[tuple[date, int]]
    weekday_hours: dict[tuple[int, int], int]
    lengths: dict[int, int]
    rejected_reasons: list[tuple[str, int]]

    def as_json(self) -> dict[str, Any]:
        """Return the fields that the API adds to its metrics."""
        classes = (*pairwise(LENGTHS), (LENGTHS[-1], None))
        return {
            "weeks": [{"week": week.isoformat(), "trips": trips} for week, trips in self.weeks],
            "weekday_hours": [
                {"weekday": weekday, "hour": hour, "trips": self.weekday_hours.get((weekday, hour), 0)}
                for weekday in range(1, 8)
                for hour in range(24)
            ],
            "lengths": [
                {"from_km": shortest, "to_km": end, "trips": self.lengths.get(shortest, 0)} for shortest, end in classes
            ],
            "rejected_reasons": [{"reason": reason, "rows": rows} for reason, rows in self.rejected_reasons],
        }


def trip_statistics(connection: Connection[Any], region: str | None = None) -> TripStatistics:
    """Return the statistics of a region's trips, or of all; raise UnknownRegionError.

    Rejected rows have no region: they are always of all. A week is named by its Monday.
    """
    with snapshot(connection) as present:
        parameters = {"region_id": find_names(connection, Selection(region=region)).region_id}
        weekday_hours: Counter[tuple[int, int]] = Counter()
        for weekday, hour, trips in _count(connection, present, "weekday_hours", parameters):
            weekday_hours[weekday, hour] += trips
        lengths: Counter[int] = Counter()
        for kilometres, trips in _count(connection, present, "lengths", parameters):
            lengths[max(shortest for shortest in LENGTHS if shortest <= kilometres)] += trips
        return TripStatistics(
            weeks=connection.execute(QUERIES["count_weeks"], parameters).fetchall(),
            weekday_hours=weekday_hours,
            lengths=lengths,
            rejected_reasons=connection.execute(QUERIES["count_rejected"]).fetchall(),
        )


def _count(
    connection: Connection[Any], present: Snapshot, what: str, parameters: dict[str, int | None]
) -> list[tuple[int, ...]]:
    """Return what gold's segments have counted, and what silver has of the rest."""
    rows = connection.execute(QUERIES[f"count_{what}"], {**parameters, "segments": present.segments}).fetchall()
    if present.without_segment is not None:
        query = sql.SQL(QUERIES[f"scan_{what}"]).format(scanned=present.without_segment)
        rows += connection.execute(query, parameters).fetchall()
    return rows
