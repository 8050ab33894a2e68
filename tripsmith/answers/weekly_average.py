"""The weekly average of trips, with every week's count."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from psycopg import Connection

from tripsmith.answers.days import count_days
from tripsmith.answers.places import Snapshot, snapshot
from tripsmith.answers.selection import Names, Selection, find_names
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "weekly_average.sql")

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WeeklyAverage:
    """The answer. `series` has every week of the span, by its Monday, those without trips too."""

    selection: Selection
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
            "area": self.selection.area_json(),
            "match": self.selection.match,
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            "weeks": self.weeks,
            "trips": self.trips,
            "weekly_average": self.average,
            "series": [{"week": week.isoformat(), "trips": trips} for week, trips in self.series],
        }


def weekly_average(connection: Connection[Any], selection: Selection) -> WeeklyAverage:
    """Return the weekly average of the selected trips.

    Without `start` or `end`, the selection's own first or last trip is that end. Raises UnknownNameError.
    """
    with snapshot(connection) as present:
        names = find_names(connection, selection)
        selection = replace(selection, region=names.region, datasource=names.datasource)
        weeks, own_first, own_last = _count(connection, present, selection, names)
    start, end = selection.start or own_first, selection.end or own_last
    if start is None or end is None or start > end:
        return WeeklyAverage(selection, start, end, ())
    span = range((monday(end) - monday(start)) // _WEEK + 1)
    series = ((monday(start) + number * _WEEK) for number in span)
    return WeeklyAverage(selection, start, end, tuple((week, weeks.get(week, 0)) for week in series))


def monday(day: date) -> date:
    """Return the Monday of a day's week, by which the week is named."""
    return day - timedelta(days=day.weekday())


def _count(
    connection: Connection[Any], present: Snapshot, selection: Selection, names: Names
) -> tuple[dict[date, int], date | None, date | None]:
    """Return the trips of each week that has any, and the days of the first trip and of the last."""
    if selection.shape is None and selection.every_time:
        rows = connection.execute(QUERIES["weeks_of_region"], names.parameters).fetchall()
        firsts, lasts = [first for _, _, first, _ in rows], [last for _, _, _, last in rows]
        return {week: trips for week, trips, _, _ in rows}, min(firsts, default=None), max(lasts, default=None)
    days = count_days(connection, present, selection, names)
    weeks: Counter[date] = Counter()
    for day, trips in days.items():
        weeks[monday(day)] += trips
    return weeks, min(days, default=None), max(days, default=None)
