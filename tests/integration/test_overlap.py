"""Overlap: files that share most of their rows with others are noted, or refused where that is asked for."""

import io

import pytest

from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import Options, rejections, remove, retry, submit
from tripsmith.sample.generator import write_sample
from tripsmith.sources import chunks


def _lines() -> list[bytes]:
    file = io.BytesIO()
    write_sample(file, 40_000, 3)
    return file.getvalue().splitlines(keepends=True)


HEADER, *ROWS = _lines()


def trips(start: int, end: int) -> bytes:
    return HEADER + b"".join(ROWS[start:end])


def overlap(ingestion) -> dict | None:
    return next((note for note in ingestion.notes if note["code"] == "overlap"), None)


def test_a_growing_export_is_noted_with_exact_numbers_where_it_is_small(ingest):
    ingest(trips(0, 980), "jan.csv")
    ended = ingest(trips(0, 1000), "jan-2.csv")
    assert (ended.state, ended.rows_loaded) == ("succeeded", 1000)
    note = overlap(ended)
    assert note["message"] == "98 % of its rows (980 of 1,000) are also in ingestion 1 (jan.csv)."
    assert (note["rows"], note["share"], note["ingestion"]) == (980, 0.98, "1")


@pytest.mark.parametrize("chunk_bytes", [1 << 20, 64 << 20], ids=["many chunks", "one chunk"])
def test_shares_of_large_files_are_about_right(ingest, monkeypatch, chunk_bytes):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", chunk_bytes)
    ingest(trips(0, 30_000), "year.csv")
    month = overlap(ingest(trips(25_000, 32_000), "month.csv"))
    assert month["message"].startswith("About ")
    assert " % of its 7,000 rows are also in ingestion 1 (year.csv), going by a sample of " in month["message"]
    assert 0.65 < month["share"] < 0.78  # 5,000 of 7,000
    third = overlap(ingest(trips(28_000, 33_000), "other.csv"))
    assert (third["ingestion"], 0.7 < third["share"] < 0.9) == ("2", True)  # 4,000 of 5,000; of the year 2,000


def test_rows_that_several_ingestions_have_are_added_up(ingest):
    for part in range(4):
        ingest(trips(part * 250, part * 250 + 250), f"{part}.csv")
    note = overlap(ingest(trips(0, 1000), "all.csv"))
    assert note["message"].startswith("100 % of its rows (1,000 of 1,000) are also in ingestions ")
    assert sorted(note["ingestions"]) == ["1", "2", "3", "4"]


def test_files_that_share_half_or_less_are_not_noted(ingest):
    ingest(trips(0, 500), "1.csv")
    assert overlap(ingest(trips(250, 750), "2.csv")) is None
    assert overlap(ingest(trips(1000, 1500), "3.csv")) is None


def test_rows_that_are_alike_within_a_file_count_as_often_as_both_files_have_them(ingest):
    ingest(HEADER + ROWS[0] + ROWS[1], "1.csv")
    assert overlap(ingest(HEADER + ROWS[0] * 100, "2.csv")) is None
    note = overlap(ingest(HEADER + ROWS[0] * 150 + ROWS[2], "3.csv"))
    assert (note["rows"], note["ingestion"]) == (100, "2")


@pytest.mark.parametrize("rows", [500, 30_000])
def test_overlap_is_refused_on_request_until_the_other_is_removed(warehouse, ingest, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    ingest(trips(0, rows), "jan.csv")
    path = tmp_path / "jan-2.csv"
    path.write_bytes(trips(0, rows + 9) + b"no trip\n")
    with warehouse.connect() as connection:
        sent = submit(connection, path, path.name, Options(refuse_overlap=True))
        ended = run_ingestion(warehouse, int(sent.ingestion.id))
        assert (ended.state, ended.rows_loaded) == ("failed", 0)
        assert ended.rows_rejected == len(list(rejections(connection, ended.id)))
        assert "are also in ingestion 1 (jan.csv)" in ended.error
        assert "To have this file instead, remove ingestion 1 first" in ended.error
        counts = "SELECT (SELECT count(*) FROM silver.trip), (SELECT sum(trips) FROM gold.region_week)"
        assert connection.execute(counts).fetchone() == (rows, rows)
        remove(connection, "1")
        assert connection.execute("SELECT count(*) FROM silver.trip_sample").fetchone() == (0,)
        retry(connection, ended.id)
        ended = run_ingestion(warehouse, int(ended.id))
        assert (ended.state, ended.rows_loaded, overlap(ended)) == ("succeeded", rows + 9, None)


@pytest.mark.parametrize("rows", [500, 30_000])
def test_a_rebuild_makes_the_same_sample(warehouse, ingest, monkeypatch, rows):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    ingest(trips(0, rows), "jan.csv")
    with warehouse.connect() as connection:
        query = "SELECT * FROM silver.trip_sample ORDER BY hash"
        before = connection.execute(query).fetchall()
        assert 500 <= len(before) < 2500
        list(rebuild(warehouse, "silver"))
        assert connection.execute(query).fetchall() == before
