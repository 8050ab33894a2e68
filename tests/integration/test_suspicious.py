"""Trips of suspicious years and trips that state UTC: loaded, marked and counted, however a file is loaded."""

from datetime import UTC, datetime, timedelta

import pytest
from contents import check_sums, mark_differences

from tripsmith.ingestion.ingestion import get_ingestion
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import remove, retry, submit
from tripsmith.sources import chunks
from tripsmith.warehouse import lot

pytestmark = pytest.mark.both_servers

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
EARLY, LATE = "0019-05-20 08:12:00", "2091-01-01 00:00:12"


def row(time: str, region: str = "Graz", source: str = "citybike") -> bytes:
    return f"{region},POINT (15.43 47.08),POINT (15.44 47.07),{time},{source}\n".encode()


def large() -> bytes:
    """Return a file of several chunks, where chunks are a megabyte, with marks in three of them."""
    usual = row("2019-05-06 08:00:00") * 30_000
    return HEADER + row(EARLY) + usual + row(LATE) + row("2019-05-06T08:00:00Z") * 3 + usual + row(LATE)


def marks(connection, ingestion_id):
    query = """
        SELECT region.name, datasource.name, mark, sum(trips)::int
        FROM silver.trip_mark
        JOIN silver.region AS region ON region.id = region_id
        JOIN silver.datasource AS datasource ON datasource.id = datasource_id
        WHERE ingestion_id = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    return connection.execute(query, [int(ingestion_id)]).fetchall()


def notes(ingestion):
    return {note["code"]: (note["trips"], note["message"]) for note in ingestion.notes}


def test_the_bounds_of_usual_years(warehouse, ingest):
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    ended = ingest(
        HEADER
        + row("1899-12-31 23:59:59.999999")
        + row("1900-01-01 00:00:00")
        + row(f"{tomorrow} 23:59:59.999999")
        + row(f"{tomorrow + timedelta(days=1)} 00:00:00")
        + row(f"{tomorrow} 24:00")
    )
    with warehouse.connect() as connection:
        found = [s for (s,) in connection.execute("SELECT suspicious FROM silver.trip ORDER BY line")]
        check_sums(connection, ended.id)
    assert found == [["before_1900"], None, None, ["after_tomorrow"], ["after_tomorrow"]]
    assert (ended.rows_loaded, ended.rows_rejected) == (5, 0)


def test_marks_are_counted_by_region_source_and_mark(warehouse, ingest):
    ended = ingest(
        HEADER
        + row(EARLY)
        + row(EARLY, "Linz")
        + row(LATE, source="cabs") * 2
        + row("2091-01-01 00:00Z")
        + row("2019-05-06T08:00:00+00:00", "Linz") * 3
        + row("2019-05-06T08:00:00-00:30")
        + row("2019-05-06T08:00:00 UTC", "Linz")
        + row("not a time")
    )
    with warehouse.connect() as connection:
        assert marks(connection, ended.id) == [
            ("Graz", "cabs", "after_tomorrow", 2),
            ("Graz", "citybike", "after_tomorrow", 1),
            ("Graz", "citybike", "before_1900", 1),
            ("Graz", "citybike", "states_utc", 1),
            ("Linz", "citybike", "before_1900", 1),
            ("Linz", "citybike", "states_utc", 4),
        ]
        check_sums(connection, ended.id)
    assert {code: trips for code, (trips, _) in notes(ended).items()} == {
        "before_1900": 2,
        "after_tomorrow": 3,
        "states_utc": 5,
    }
    assert notes(ended)["before_1900"][1].startswith("2 trips are dated before 1900; they are")


def test_the_words_for_one_trip_and_for_thousands(ingest):
    one = ingest(HEADER + row(EARLY) + row("2019-05-06T08:00:00Z"), "one.csv")
    assert notes(one)["before_1900"][1].startswith("1 trip is dated before 1900; it is")
    assert notes(one)["states_utc"][1].startswith("1 trip states its time in UTC")
    thousands = ingest(HEADER + row("2019-05-06T08:00:00Z") * 1234, "thousands.csv")
    assert notes(thousands)["states_utc"] == (
        1234,
        "1,234 trips state their time in UTC: their hours, days and weeks are those of UTC, not local.",
    )


def test_clean_trips_have_no_marks(warehouse, ingest):
    ended = ingest(HEADER + row("2019-05-06 08:00:00") * 3 + row("2019-05-06T08:00:00+02:00"))
    with warehouse.connect() as connection:
        assert marks(connection, ended.id) == []
    assert ended.notes == []


@pytest.mark.parametrize("max_pieces", [1000, 0], ids=["pieces", "poured into the shared lot"])
def test_large_files_are_marked_rebuilt_and_removed(warehouse, ingest, monkeypatch, max_pieces):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    monkeypatch.setattr(lot, "MAX_PIECES", max_pieces)
    ended = ingest(large())
    expected = [
        ("Graz", "citybike", "after_tomorrow", 2),
        ("Graz", "citybike", "before_1900", 1),
        ("Graz", "citybike", "states_utc", 3),
    ]
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) > 1 OR %s FROM ops.chunk", [max_pieces == 0]).fetchone() == (True,)
        assert marks(connection, ended.id) == expected
        sums = check_sums(connection, ended.id)
        assert [done.notes for done in rebuild(warehouse, "silver")] == [ended.notes]
        assert check_sums(connection, ended.id) == sums
        remove(connection, ended.id)
        assert marks(connection, ended.id) == []


def test_an_ingestion_that_is_tried_again_is_marked_once(warehouse, tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    path = tmp_path / "trips.csv"
    path.write_bytes(large())
    with warehouse.connect() as connection:
        submit(connection, path, path.name)
        # A rule of the database's, which the last chunk does not meet, stands in for a crash.
        connection.execute(
            "ALTER TABLE ops.chunk ADD CONSTRAINT crash CHECK (first_line + lines <= 60006 OR rows_read = 0)"
        )
        ended = run_ingestion(warehouse, 1)
        assert ended.state == "failed"
        assert [trips for *_, trips in marks(connection, 1)] == [1, 1, 3]
        connection.execute("ALTER TABLE ops.chunk DROP CONSTRAINT crash")
        retry(connection, 1)
        ended = run_ingestion(warehouse, 1)
        assert (ended.state, ended.rows_loaded) == ("succeeded", 60_006)
        assert mark_differences(connection, ended.id) == []
        assert {code: trips for code, (trips, _) in notes(ended).items()} == {
            "before_1900": 1,
            "after_tomorrow": 2,
            "states_utc": 3,
        }


def test_tomorrow_is_that_of_the_day_of_submission(warehouse, ingest):
    soon = datetime.now(UTC) + timedelta(days=400)
    ended = ingest(HEADER + row(f"{soon:%Y-%m-%d} 08:00:00") + row("2019-05-06T08:00:00Z"))
    assert set(notes(ended)) == {"after_tomorrow", "states_utc"}
    with warehouse.connect() as connection:
        created = f"{soon:%Y-%m-%d} 00:00:00+00"
        for moved, codes in (("-2 days", {"after_tomorrow", "states_utc"}), ("-1 day", {"states_utc"})):
            connection.execute("UPDATE ops.ingestion SET created_at = %s::timestamptz + %s::interval", [created, moved])
            list(rebuild(warehouse, "silver"))
            assert set(notes(get_ingestion(connection, ended.id))) == codes
            check_sums(connection, ended.id)
