"""The weeks of a span, which of them are partial, and spans that a few trips stretch."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripsmith.answers.span import Span, average_text, stretched_note

WEEK = timedelta(7)
days = st.dates(date(2018, 1, 1), date(2018, 4, 30))


@given(st.none() | days, st.none() | days, st.tuples(days, days).map(sorted))
def test_weeks_and_partial_weeks_equal_a_count_day_by_day(start, end, data):
    span = Span(asked=(start, end), data=(data[0], data[1]))
    first, last = start or data[0], end or data[1]
    touched = {first + timedelta(n) for n in range((last - first).days + 1)}
    weeks = sorted({day - timedelta(day.weekday()) for day in touched})
    assert list(span) == weeks
    assert span.weeks == len(weeks)
    begins = {data[0], start} - {None}
    ends = {data[1], end} - {None}
    partial = set()
    for week in weeks:
        after_monday = {week + timedelta(n) for n in range(1, 7)}
        before_sunday = {week + timedelta(n) for n in range(6)}
        if after_monday & begins or before_sunday & ends:
            partial.add(week)
    assert span.partial_weeks == partial


def test_the_widest_span():
    span = Span(asked=(date(1, 1, 1), date(9999, 12, 31)), data=(date(2018, 5, 1), date(2018, 5, 31)))
    assert span.weeks == 521_723
    assert span.partial_weeks == {date(2018, 4, 30), date(2018, 5, 28), date(9999, 12, 27)}
    note = span.beyond_note()
    assert note is not None
    assert (note.code, note.numbers["weeks"], note.numbers["of_weeks"]) == ("beyond_data", 521_718, 521_723)


@pytest.mark.parametrize(
    ("asked", "weeks", "beyond"),
    [
        ((None, None), 5, None),
        ((date(2018, 4, 30), date(2018, 6, 3)), 5, None),
        ((date(2018, 4, 29), None), 6, 1),
        ((date(2018, 4, 29), date(2018, 6, 11)), 8, 3),
        ((date(2018, 5, 7), date(2018, 5, 13)), 1, None),
        ((date(2017, 1, 2), date(2017, 1, 15)), 2, 2),
        ((date(2019, 1, 7), date(2019, 1, 7)), 1, 1),
        ((date(2019, 1, 7), None), 0, 0),
        ((None, date(2017, 1, 7)), 0, 0),
    ],
)
def test_dates_beyond_the_data(asked, weeks, beyond):
    span = Span(asked=asked, data=(date(2018, 5, 1), date(2018, 5, 31)))
    note = span.beyond_note()
    assert span.weeks == weeks
    assert (None if note is None else note.numbers["weeks"]) == beyond


def test_a_warehouse_without_trips_has_the_weeks_that_are_asked_for():
    assert Span(asked=(None, None), data=(None, None)).weeks == 0
    assert Span(asked=(date(2018, 5, 1), None), data=(None, None)).weeks == 0
    span = Span(asked=(date(2018, 5, 1), date(2018, 5, 8)), data=(None, None))
    assert (span.weeks, span.beyond_note()) == (2, None)


MAY = date(2019, 5, 6)
FAR = date(2091, 1, 1)
THREE_WEEKS = {MAY: 700, MAY + WEEK: 720, MAY + 2 * WEEK: 680}


def stretched(counts, start=None, end=None):
    counts = dict(sorted(counts.items()))
    span = Span(asked=(start, end), data=(min(counts), max(counts) + timedelta(6)))
    return stretched_note(span, counts)


def test_a_trip_of_another_century_stretches_the_span():
    note = stretched({**THREE_WEEKS, FAR: 1})
    assert note.as_json() == {
        "code": "span_stretched",
        "message": "2,100 of 2,101 trips are in 3 of 3,740 weeks; to=2019-05-26 narrows it.",
        "trips": 2100,
        "of_trips": 2101,
        "weeks": 3,
        "of_weeks": 3740,
        "to": "2019-05-26",
    }
    assert stretched({date(19, 5, 20): 1, **THREE_WEEKS}).numbers["from"] == "2019-05-06"
    both = stretched({date(19, 5, 20): 1, **THREE_WEEKS, FAR: 1})
    assert "from=2019-05-06 to=2019-05-26 narrows it" in both.message


@pytest.mark.parametrize(
    ("average", "text"),
    [(0, "0.0"), (1234.56, "1,234.6"), (0.05, "0.1"), (0.0389, "0.039"), (0.00042171, "0.00042"), (9.6e-6, "9.6e-06")],
)
def test_small_averages_are_not_shown_as_nothing(average, text):
    assert average_text(average) == text


def test_what_goes_on_from_most_trips_belongs_to_them():
    # The last two weeks are not needed for most of the trips, but dates that cut them off would lose trips.
    counts = {**THREE_WEEKS, MAY + 3 * WEEK: 30, MAY + 7 * WEEK: 20, FAR: 1}
    assert stretched(counts).numbers["to"] == (MAY + 8 * WEEK - timedelta(1)).isoformat()


@pytest.mark.parametrize(
    ("counts", "start", "end"),
    [
        (THREE_WEEKS, None, None),
        ({MAY + n * WEEK: 10 for n in range(200)}, None, None),
        ({**THREE_WEEKS, MAY + 99 * WEEK: 1}, None, None),  # no more than 100 weeks
        ({**THREE_WEEKS, FAR: 200}, None, None),  # not most of the trips
        ({**THREE_WEEKS, FAR: 1}, None, date(2092, 1, 1)),  # what is asked for
        ({**THREE_WEEKS, FAR: 1}, None, date(2019, 12, 31)),
        ({MAY: 1}, date(1900, 1, 1), date(2100, 1, 1)),
    ],
)
def test_spans_that_are_not_stretched(counts, start, end):
    assert stretched(counts, start, end) is None
