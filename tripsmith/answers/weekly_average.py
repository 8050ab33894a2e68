"""The weekly average of trips in an area, with every week's count."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import Connection, sql

from tripsmith.answers.area import Area, BadQuestionError, condition, find_region
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "weekly_average.sql")

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WeeklyAverage:
    """The answer. `series` has every week of the span, by its Monday, those without trips too."""

    area: Area
    start: date | None
    end: date | None
    series: tuple[tuple[date, int], ...]

    @property
    def trips(self) -> int:
        """All trips in the span."""
        return sum(trips for _, trips in self.series)

    @property
    def weeks(self) -> int:
        """The weeks that the span touches."""
        return len(self.series)

    @property
    def average(self) -> float:
        """Trips a week; 0 where there is no trip."""
        return self.trips / self.weeks if self.weeks else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the document of the API."""
        return {
            "area": self.area.as_json(),
            "match": self.area.match,
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            "weeks": self.weeks,
            "trips": self.trips,
            "weekly_average": self.average,
            "series": [{"week": week.isoformat(), "trips": trips} for week, trips in self.series],
        }


def weekly_average(
    connection: Connection[Any], area: Area, start: date | None = None, end: date | None = None
) -> WeeklyAverage:
    """Return the weekly average of an area's trips from one local date to another, both included.

    Without a bound, the area's own first or last trip is that end. Raises UnknownRegionError and BadQuestionError.
    """
    if start and end and start > end:
        raise BadQuestionError("from", f"from {start} is after to {end}; it must not be.")
    region_id = None
    if area.region is not None:
        region_id, name = find_region(connection, area.region)
        area = Area(name, area.bbox, area.match)
    days = _days_by_week(connection, area, region_id, start, end)
    own_first = min((first for _, _, first, _ in days), default=None)
    own_last = max((last for _, _, _, last in days), default=None)
    start, end = start or own_first, end or own_last
    if start is None or end is None or start > end:
        return WeeklyAverage(area, start, end, ())
    counts = {week: trips for week, trips, _, _ in days}
    weeks = range((monday(end) - monday(start)) // _WEEK + 1)
    series = ((monday(start) + number * _WEEK) for number in weeks)
    return WeeklyAverage(area, start, end, tuple((week, counts.get(week, 0)) for week in series))


def monday(day: date) -> date:
    """Return the Monday of a day's week, by which the week is named."""
    return day - timedelta(days=day.weekday())


def _days_by_week(
    connection: Connection[Any], area: Area, region_id: int | None, start: date | None, end: date | None
) -> list[tuple[date, int, date, date]]:
    """Return each week that has trips, its trips, and the days of its first and last."""
    if area.bbox is None and start is None and end is None:
        return connection.execute(QUERIES["weeks_of_region"], {"region_id": region_id}).fetchall()
    query = sql.SQL(QUERIES["weeks_of_area"]).format(condition=condition(area, region_id))
    return connection.execute(query, {"start": start, "end": end}).fetchall()
