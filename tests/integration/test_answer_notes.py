"""Weekly averages over what the data cover, and the notes of what would mislead about an answer."""

import io
import zipfile
from datetime import date

import pytest

from tripsmith.answers.grouping import GroupQuestion
from tripsmith.answers.metrics import trip_metrics
from tripsmith.answers.selection import Selection, parse_hours
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.geometry.geojson import parse_polygon
from tripsmith.geometry.shape import BoundingBox
from tripsmith.ingestion.submission import cancel, submit

HEADER = "region,origin_coord,destination_coord,datetime,datasource\n"
BUSY, QUIET = BoundingBox(14.4, 50.0, 14.6, 50.1), BoundingBox(15.4, 50.0, 15.6, 50.1)


def rows(*days: str, region: str = "Prague", longitude: float = 14.5, source: str = "car", hour: int = 9) -> str:
    points = f"POINT ({longitude} 50.05),POINT (14.41 50.09)"
    return "".join(f"{region},{points},{day} {hour:02}:00:00,{source}\n" for day in days)


def taken(ingest, *parts: str, name: str = "trips.csv"):
    ended = ingest((HEADER + "".join(parts)).encode(), name=name)
    assert ended.state == "succeeded"
    return ended


@pytest.fixture
def five_weeks(ingest):
    """Tuesday 2018-05-01 to Thursday 2018-05-31 in Prague; a longer year in Turin from another source."""
    days = [f"2018-05-{day:02}" for day in range(1, 32)]
    taken(
        ingest,
        rows(*days),
        rows("2018-05-16", longitude=15.5, hour=22),
        rows("2018-01-01", "2018-12-30", region="Turin", source="bus"),
    )


def ask(warehouse, **selection):
    with warehouse.connect() as connection:
        return weekly_average(connection, Selection(**selection))


def codes(answer) -> list[str]:
    return [note.code for note in answer.notes]


def note_of(answer, code: str):
    (note,) = (note for note in answer.notes if note.code == code)
    return note


def test_areas_and_hours_of_the_same_data_have_the_same_weeks(warehouse, five_weeks):
    for narrowed in (
        {},
        {"shape": BUSY},
        {"shape": QUIET},
        {"shape": QUIET, "match": "both"},
        {"shape": BoundingBox(0, 0, 0, 0)},
        {"hours": parse_hours("22")},
        {"weekdays": frozenset([6, 7])},
        {"datasource": "car"},
    ):
        answer = ask(warehouse, region="Prague", **narrowed)
        assert (answer.weeks, answer.span.start, answer.span.end) == (5, date(2018, 5, 1), date(2018, 5, 31)), narrowed
        assert answer.average == answer.trips / 5
    assert ask(warehouse, region="prague", shape=QUIET).average == 0.2
    assert ask(warehouse).weeks == 52
    assert ask(warehouse, datasource="bus").weeks == 52
    assert ask(warehouse, region="Turin", datasource="car").weeks == 0


def test_whole_weeks(warehouse, five_weeks):
    answer = ask(warehouse, region="Prague")
    assert answer.span.partial_weeks == {date(2018, 4, 30), date(2018, 5, 28)}
    assert (answer.weeks, answer.trips, answer.average) == (5, 32, 6.4)
    assert (answer.whole_weeks.weeks, answer.whole_weeks.trips, answer.whole_weeks.average) == (3, 22, 22 / 3)
    note = note_of(answer, "partial_weeks")
    assert note.message == (
        "2 of 5 weeks are partial, which pulls the average down; over the 3 whole weeks it is 7.3 a week."
    )
    assert (note.numbers["partial_weeks"], note.numbers["weekly_average"]) == (2, 22 / 3)
    cut = ask(warehouse, region="Prague", start=date(2018, 5, 9), end=date(2018, 5, 10))
    assert note_of(cut, "partial_weeks").message.startswith("No week is whole")
    whole = ask(warehouse, region="Prague", start=date(2018, 5, 7), end=date(2018, 5, 27))
    assert (whole.span.partial_weeks, codes(whole)) == (frozenset(), [])
    days = [week.isoformat() for week, _ in answer.series]
    assert [(week["week"], week["is_partial"]) for week in answer.as_json()["series"]] == [
        (day, day in ("2018-04-30", "2018-05-28")) for day in days
    ]


def test_dates_beyond_the_data_are_counted_as_weeks_without_trips_and_said(warehouse, five_weeks):
    answer = ask(warehouse, region="Prague", start=date(2018, 4, 2), end=date(2018, 6, 3))
    assert (answer.weeks, answer.trips) == (9, 32)
    note = note_of(answer, "beyond_data")
    assert note.numbers == {"weeks": 4, "of_weeks": 9, "first_trip": "2018-05-01", "last_trip": "2018-05-31"}
    after = ask(warehouse, region="Prague", start=date(2019, 1, 1))
    assert (after.weeks, after.trips, after.average, after.series) == (0, 0, 0, ())
    assert "none of the dates asked for" in note_of(after, "beyond_data").message


@pytest.mark.parametrize("shape", [None, BUSY])
def test_the_widest_dates_make_no_long_series(warehouse, five_weeks, shape):
    answer = ask(warehouse, region="Prague", shape=shape, start=date(1, 1, 1), end=date(9999, 12, 31))
    assert answer.weeks == 521_723
    assert [week for week, _ in answer.series] == [date(2018, 4, 30), *(date(2018, 5, day) for day in (7, 14, 21, 28))]
    assert note_of(answer, "series_shortened").numbers == {"weeks": 5, "of_weeks": 521_723}
    assert codes(answer).count("beyond_data") == 1


def test_a_trip_of_another_century(warehouse, ingest):
    weeks = ("2019-05-06", "2019-05-14", "2019-05-26")
    taken(ingest, *(rows(day) * 700 for day in weeks), rows("2091-01-01", longitude=15.5))
    answer = ask(warehouse, region="Prague")
    assert (answer.weeks, len(answer.series)) == (3740, 4)
    note = note_of(answer, "span_stretched")
    assert note.message == "2,100 of 2,101 trips are in 3 of 3,740 weeks; to=2019-05-26 narrows it."
    # An area that has no such trip is divided by the same weeks, and is said the same.
    assert note_of(ask(warehouse, shape=BUSY), "span_stretched") == note
    narrowed = ask(warehouse, end=date.fromisoformat(note.numbers["to"]))
    assert (narrowed.weeks, narrowed.trips, codes(narrowed)) == (3, 2100, [])


def test_marks_of_trips_are_said_of_those_asked_for(warehouse, ingest):
    first = taken(ingest, rows("2018-05-07", "2018-05-13"), rows("2018-05-07", region="Turin", source="bus"))
    removed = taken(ingest, rows("2018-05-08"), name="removed.csv")
    marks = [
        (first.id, "Prague", "car", "states_utc", 2),
        (first.id, "Prague", "car", "before_1900", 1),
        (first.id, "Prague", "car", "after_tomorrow", 3),
        (first.id, "Turin", "bus", "states_utc", 1),
        (removed.id, "Prague", "car", "states_utc", 5),
    ]
    with warehouse.connect() as connection:
        for mark in marks:
            connection.execute(
                "INSERT INTO silver.trip_mark SELECT %s, region.id, datasource.id, %s, %s"
                " FROM silver.region, silver.datasource WHERE region.name = %s AND datasource.name = %s",
                [mark[0], mark[3], mark[4], mark[1], mark[2]],
            )
        connection.execute("UPDATE ops.ingestion SET state = 'removed' WHERE id = %s", [removed.id])
    answer = ask(warehouse, region="prague", datasource="car")
    assert note_of(answer, "states_utc").as_json() == {
        "code": "states_utc",
        "message": "2 trips of Prague from car state UTC: their hours, days and weeks are those of UTC, not local.",
        "trips": 2,
    }
    suspicious = note_of(answer, "suspicious")
    assert suspicious.numbers == {"trips": 4, "before_1900": 1, "after_tomorrow": 3}
    assert "3 dated after tomorrow, 1 dated before 1900." in suspicious.message
    assert note_of(ask(warehouse, region="Turin"), "states_utc").message.startswith("1 trip of Turin states UTC")
    assert note_of(ask(warehouse), "states_utc").message.startswith("3 trips in the warehouse state UTC")
    since = note_of(ask(warehouse, region="Prague", start=date(1900, 1, 1)), "suspicious")
    assert since.numbers == {"trips": 3, "after_tomorrow": 3}
    dates = {"start": date(2018, 5, 7), "end": date(2018, 5, 13)}
    assert codes(ask(warehouse, region="Prague", **dates)) == ["states_utc"]
    with warehouse.connect() as connection:
        groups = trip_groups(connection, GroupQuestion(selection=Selection(region="Turin")))
        assert [note["code"] for note in groups.as_json()["notes"]] == ["states_utc"]
        metrics = trip_metrics(connection).as_json()["notes"]
    assert [(note["code"], note["trips"]) for note in metrics] == [("states_utc", 3), ("suspicious", 4)]


def test_ingestions_that_are_not_counted_are_named(warehouse, ingest, tmp_path):
    taken(ingest, rows("2018-05-07", "2018-05-13"))
    paths = [tmp_path / f"{number}.csv" for number in range(4)]
    for number, path in enumerate(paths):
        path.write_text(HEADER + rows("2018-05-09", hour=number))
    with warehouse.connect() as connection:
        sent = [submit(connection, path, path.name).ingestion.id for path in paths]
        (note,) = weekly_average(connection, Selection()).notes
        assert note.code == "ingestions_under_way"
        assert note.message == (
            "4 ingestions have not finished: their trips are not counted yet (3.csv, 2.csv, 1.csv and 1 more)."
        )
        for ingestion_id in sent[1:]:
            cancel(connection, ingestion_id)
        connection.execute("UPDATE ops.ingestion SET state = 'failed' WHERE id = %s", [sent[0]])
        for notes in (weekly_average(connection, Selection()).notes, trip_metrics(connection).notes):
            assert [(note.code, note.message) for note in notes] == [
                ("ingestions_failed", "1 ingestion failed and its trips are not counted: 0.csv.")
            ]
    # The file was put right and sent again under its name.
    taken(ingest, rows("2018-05-10"), name="0.csv")
    assert ask(warehouse).notes == ()


def test_what_failed_is_not_named_once_another_ingestion_has_it(warehouse, ingest, tmp_path):
    path = tmp_path / "may.csv"
    path.write_text(HEADER + rows("2018-05-07", "2018-05-13"))
    with warehouse.connect() as connection:
        submit(connection, path, path.name)
        connection.execute("UPDATE ops.ingestion SET state = 'failed'")
    assert codes(ask(warehouse)) == ["ingestions_failed"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, "may.csv")
        archive.writestr("june.csv", HEADER + rows("2018-06-04", "2018-06-10"))
    ended = ingest(packed.getvalue(), name="year.zip")
    assert (ended.id, ended.rows_loaded) == ("2", 4)
    assert ask(warehouse).notes == ()


def test_what_is_left_out_of_an_area_is_said(warehouse, five_weeks):
    ring = [[14.4, 50.0], [14.6, 50.0], [14.6, 50.1], [14.4, 50.1], [14.4, 50.0]]
    area = parse_polygon(
        {
            "type": "GeometryCollection",
            "geometries": [{"type": "Polygon", "coordinates": [ring]}, {"type": "Point", "coordinates": [15.5, 50.05]}],
        }
    )
    answer = ask(warehouse, shape=area, region="Prague")
    assert answer.trips == 31
    assert note_of(answer, "features_ignored").numbers == {"features": 1, "of_features": 2}
