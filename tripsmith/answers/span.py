"""The span of a weekly average: which weeks it is over, which of them are partial, and what would mislead about it.

A week is a date, its Monday.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tripsmith.note import Note

WeekCounts = dict[date, int]

_WEEK = timedelta(days=7)

# A span is stretched where so much of the trips is in so little of its many weeks.
_MANY_WEEKS = 100
_MOST_TRIPS = 0.95
_FEW_WEEKS = 0.1
# A pause of so many weeks does not end what belongs together.
_PAUSE_WEEKS = 4
_SMALL = 0.05


@dataclass(frozen=True, slots=True)
class Span:
    """First and last local date that are asked for and that the data cover; None where there is none."""

    asked: tuple[date | None, date | None]
    data: tuple[date | None, date | None]

    @property
    def start(self) -> date | None:
        """The first date, included."""
        return self.asked[0] or self.data[0]

    @property
    def end(self) -> date | None:
        """The last date, included; it is before the first where the dates asked for are beyond the data."""
        return self.asked[1] or self.data[1]

    @property
    def weeks(self) -> int:
        """How many weeks the span touches."""
        if self.start is None or self.end is None or self.start > self.end:
            return 0
        return _weeks_between(self.start, self.end) + 1

    @property
    def partial_weeks(self) -> frozenset[date]:
        """The weeks of the span within which the data or the dates begin or end."""
        begun = {monday(day) for day in (self.asked[0], self.data[0]) if day is not None and day.isoweekday() != 1}
        ended = {monday(day) for day in (self.asked[1], self.data[1]) if day is not None and day.isoweekday() != 7}
        return frozenset(week for week in begun | ended if self._touches(week))

    def __iter__(self) -> Iterator[date]:
        """Yield the weeks of the span, in order."""
        if self.start is not None:
            first = monday(self.start)
            yield from (first + number * _WEEK for number in range(self.weeks))

    def beyond_note(self) -> Note | None:
        """Return a note if the dates asked for reach beyond what the data cover."""
        first, last = self.data
        if self.start is None or self.end is None or first is None or last is None:
            return None
        numbers = {"first_trip": first.isoformat(), "last_trip": last.isoformat()}
        cover = f"The data cover {first} to {last}"
        if self.start > self.end:
            return Note("beyond_data", f"{cover}, and none of the dates asked for.", {"weeks": 0, **numbers})
        within = max(0, _weeks_between(max(self.start, first), min(self.end, last)) + 1)
        beyond = self.weeks - within
        if not beyond:
            return None
        outside = "1 week" if beyond == 1 else f"{beyond:,} weeks"
        is_outside, counts = ("is", "counts as a week") if beyond == 1 else ("are", "count as weeks")
        message = f"{cover}; {outside} of {self.weeks:,} {is_outside} outside that and {counts} without trips."
        return Note("beyond_data", message, {"weeks": beyond, "of_weeks": self.weeks, **numbers})

    def _touches(self, week: date) -> bool:
        return self.weeks > 0 and (
            self.start is not None and self.end is not None and monday(self.start) <= week <= monday(self.end)
        )


def monday(day: date) -> date:
    """Return the Monday of a day's week, by which the week is named."""
    return day - timedelta(days=day.weekday())


def average_text(average: float) -> str:
    """Return an average to one decimal, or to two digits where that would say 0.0 of something."""
    return f"{average:,.1f}" if average >= _SMALL or not average else f"{average:.2g}"


def stretched_note(span: Span, data: WeekCounts) -> Note | None:
    """Return a note if most trips of the data are in few weeks of a long span, and dates would narrow it to them.

    `data` are the trips of the weeks that have any, in order, wherever they are and at whatever hour.
    """
    if span.weeks <= _MANY_WEEKS or span.start is None or span.end is None:
        return None
    first_week, last_week = monday(span.start), monday(span.end)
    counts = [(week, trips) for week, trips in data.items() if first_week <= week <= last_week]
    of_trips = sum(trips for _, trips in counts)
    few_weeks = int(span.weeks * _FEW_WEEKS)
    found = _densest(counts, of_trips * _MOST_TRIPS, few_weeks)
    if found is None:
        return None
    first, last = found
    dates = {}
    if span.asked[0] is None and first > 0:
        dates["from"] = counts[first][0].isoformat()
    if span.asked[1] is None and last < len(counts) - 1:
        dates["to"] = (counts[last][0] + timedelta(days=6)).isoformat()
    if not dates:
        return None
    trips = sum(trips for _, trips in counts[first : last + 1])
    weeks = _weeks_between(counts[first][0], counts[last][0]) + 1
    message = (
        f"{trips:,} of {of_trips:,} trips are in {weeks:,} of {span.weeks:,} weeks;"
        f" {' '.join(f'{name}={day}' for name, day in dates.items())} narrows it."
    )
    numbers = {"trips": trips, "of_trips": of_trips, "weeks": weeks, "of_weeks": span.weeks}
    return Note("span_stretched", message, {**numbers, **dates})


def _densest(counts: list[tuple[date, int]], enough: float, few_weeks: int) -> tuple[int, int] | None:
    """Return first and last number of the shortest run of weeks with enough trips, and what goes on from there.

    None where no run is as short as `few_weeks`.
    """
    best: tuple[int, int] | None = None
    shortest, first, held = few_weeks + 1, 0, 0
    for last, (week, trips) in enumerate(counts):
        held += trips
        while held - counts[first][1] >= enough:
            held -= counts[first][1]
            first += 1
        length = _weeks_between(counts[first][0], week) + 1
        if held >= enough and length < shortest:
            best, shortest = (first, last), length
    if best is None:
        return None
    first, last = best
    weeks = [week for week, _ in counts]

    def belongs(earlier: int, later: int) -> bool:
        return _weeks_between(weeks[earlier], weeks[later]) <= _PAUSE_WEEKS + 1

    while first > 0 and belongs(first - 1, first) and _weeks_between(weeks[first - 1], weeks[last]) < few_weeks:
        first -= 1
    while (
        last + 1 < len(weeks) and belongs(last, last + 1) and _weeks_between(weeks[first], weeks[last + 1]) < few_weeks
    ):
        last += 1
    return first, last


def _weeks_between(earlier: date, later: date) -> int:
    return (monday(later) - monday(earlier)) // _WEEK
