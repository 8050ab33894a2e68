"""The weekly average of trips, with every week's count."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from psycopg import Connection

from tripsmith.answers.days import count_days
from tripsmith.answers.notes import answer_notes
from tripsmith.answers.places import Snapshot, snapshot
from tripsmith.answers.selection import Names, Selection, find_names
from tripsmith.answers.span import Span, WeekCounts, average_text, monday, stretched_note
from tripsmith.note import Note
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "weekly_average.sql")

# A series of more weeks has only those with trips: a wrong century must not make a hundred thousand rows.
MAX_SERIES_WEEKS = 1000


@dataclass(frozen=True, slots=True)
class WholeWeeks:
    """The weeks of a span that are not partial, and their trips."""

    weeks: int
    trips: int

    @property
    def average(self) -> float:
        """Trips a week; 0 where there are no weeks."""
        return self.trips / self.weeks if self.weeks else 0.0


@dataclass(frozen=True, slots=True)
class WeeklyAverage:
    """The answer. `counts` has the weeks with trips, by their Mondays, in order; `span` all that are averaged over."""

    selection: Selection
    span: Span
    counts: WeekCounts
    notes: tuple[Note, ...] = ()

    @property
    def trips(self) -> int:
        """All trips in the span."""
        return sum(self.counts.values())

    @property
    def weeks(self) -> int:
        """The weeks that the span touches."""
        return self.span.weeks

    @property
    def average(self) -> float:
        """Trips a week; 0 where there are no weeks."""
        return self.trips / self.weeks if self.weeks else 0.0

    @property
    def whole_weeks(self) -> WholeWeeks:
        """The same of the weeks that are not partial."""
        partial = self.span.partial_weeks
        trips = sum(trips for week, trips in self.counts.items() if week not in partial)
        return WholeWeeks(self.weeks - len(partial), trips)

    @property
    def series(self) -> tuple[tuple[date, int], ...]:
        """Every week of the span with its trips; of more than 1,000 weeks only those with trips."""
        if self.weeks > MAX_SERIES_WEEKS:
            return tuple(self.counts.items())
        return tuple((week, self.counts.get(week, 0)) for week in self.span)

    def as_json(self) -> dict[str, Any]:
        """Return the document of the API."""
        partial, whole = self.span.partial_weeks, self.whole_weeks
        return {
            "area": self.selection.area_json(),
            "match": self.selection.match,
            "from": self.span.start.isoformat() if self.span.start else None,
            "to": self.span.end.isoformat() if self.span.end else None,
            "weeks": self.weeks,
            "trips": self.trips,
            "weekly_average": self.average,
            "whole_weeks": {"weeks": whole.weeks, "trips": whole.trips, "weekly_average": whole.average},
            "series": [
                {"week": week.isoformat(), "trips": trips, "is_partial": week in partial} for week, trips in self.series
            ],
            "notes": [note.as_json() for note in self.notes],
        }


def weekly_average(connection: Connection[Any], selection: Selection) -> WeeklyAverage:
    """Return the weekly average of the selected trips.

    Without `start` or `end`, that end of what the data of the region and data source cover stands in for it, whatever
    the area, match, hours or weekdays. Raises UnknownNameError.
    """
    with snapshot(connection) as present:
        names = find_names(connection, selection)
        selection = replace(selection, region=names.region, datasource=names.datasource)
        rows = connection.execute(QUERIES["weeks_of_region"], names.parameters).fetchall()
        data = {week: trips for week, trips, _, _ in rows}
        span = Span(
            asked=(selection.start, selection.end),
            data=(rows[0][2], rows[-1][3]) if rows else (None, None),
        )
        if selection.shape is None and selection.every_time:
            counts = data
        else:
            counts = _count(connection, present, selection, names)
        common = answer_notes(connection, selection, names)
    answer = WeeklyAverage(selection, span, counts)
    return replace(answer, notes=(*_own_notes(answer, data), *common))


def _count(connection: Connection[Any], present: Snapshot, selection: Selection, names: Names) -> WeekCounts:
    """Return the trips of each week that has any, in order."""
    weeks: Counter[date] = Counter()
    for day, trips in count_days(connection, present, selection, names).items():
        weeks[monday(day)] += trips
    return dict(weeks)


def _own_notes(answer: WeeklyAverage, data: WeekCounts) -> list[Note]:
    """Return what would mislead about the weeks of an answer; `data` are the counts of the region and data source."""
    span = answer.span
    notes = (stretched_note(span, data), span.beyond_note(), _partial_note(answer), _shortened_note(answer))
    return [note for note in notes if note is not None]


def _partial_note(answer: WeeklyAverage) -> Note | None:
    whole = answer.whole_weeks
    partial = answer.weeks - whole.weeks
    if not partial or not answer.trips:
        return None
    numbers = {"partial_weeks": partial, "weeks": answer.weeks}
    are = "is" if partial == 1 else "are"
    if not whole.weeks:
        message = "No week is whole: the data or the dates begin or end within each of them."
        return Note("partial_weeks", message, numbers)
    effect = ", which pulls the average down" if whole.average > answer.average else ""
    over = "the 1 whole week" if whole.weeks == 1 else f"the {whole.weeks:,} whole weeks"
    average = average_text(whole.average)
    message = f"{partial} of {answer.weeks:,} weeks {are} partial{effect}; over {over} it is {average} a week."
    return Note("partial_weeks", message, {**numbers, "weekly_average": whole.average})


def _shortened_note(answer: WeeklyAverage) -> Note | None:
    weeks, with_trips = answer.weeks, len(answer.counts)
    if weeks <= MAX_SERIES_WEEKS:
        return None
    message = f"The series has only the weeks with trips, {with_trips:,} of {weeks:,}."
    return Note("series_shortened", message, {"weeks": with_trips, "of_weeks": weeks})
