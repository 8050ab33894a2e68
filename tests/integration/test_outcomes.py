"""How ingestions end: what makes a file fail, what is kept of one that failed, and what the last line says."""

import threading
import time

import pytest
from contents import check_sums

from tripsmith.ingestion.ingestion import IngestionConflictError, get_ingestion
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import BadFileError, Options, rejections, remove, retry, submit
from tripsmith.ingestion.watch import watch_folder
from tripsmith.sources import chunks

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
TABLES = (
    "silver.trip",
    "silver.rejected_row",
    "silver.trip_mark",
    "bronze.malformed_line",
    "gold.trip_group",
    "ops.chunk",
)
BAD_DATE = "is not a date and time such as 2018-05-28 09:03:40."


def row(time: bytes = b"2018-05-28 09:03:40", region: bytes = b"Prague") -> bytes:
    return region + b",POINT (14.4 50.1),POINT (14.5 50.0)," + time + b",car\n"


def day_first(rows: int) -> bytes:
    return HEADER + b"".join(row(b"%02d/05/2018 09:03" % (n % 28 + 1)) for n in range(rows))


def mixed(good: int, bad: int) -> bytes:
    """Return a file of good rows, and of bad ones most of which have no time."""
    return HEADER + row() * good + row(b"") * (bad - bad // 10) + row(region=b"") * (bad // 10)


def held(warehouse) -> dict[str, int]:
    """Return the rows of each table that has any, bronze tables added up."""
    with warehouse.connect() as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM ops.header")]
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
        counts["bronze"] = sum(connection.execute(f"SELECT count(*) FROM bronze.{n}").fetchone()[0] for n in names)
    return {table: rows for table, rows in counts.items() if rows}


def pieces(warehouse) -> int:
    """Return how many tables of large ingestions there are, published or not."""
    query = r"SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^(trip|trips_\d+)_[1-9]\d*_\d+$'"
    with warehouse.connect() as connection:
        return connection.execute(query).fetchone()[0]


@pytest.fixture(params=["small", "large"])
def rows(request, monkeypatch) -> int:
    """How many rows make one chunk, or several."""
    if request.param == "large":
        monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 16)
        return 3000
    return 20


@pytest.mark.both_servers
def test_a_file_of_which_no_row_can_be_loaded_fails_and_keeps_its_rejected_rows(warehouse, ingest, rows):
    content = day_first(rows)
    for _ in range(2):  # sent again it ends the same
        ended = ingest(content)
        assert (ended.id, ended.state, ended.rows_read, ended.rows_loaded) == ("1", "failed", rows, 0)
        assert ended.rows_rejected == rows
        assert ended.error == (
            f"None of its {rows:,} rows could be loaded; most often ({rows:,} rows), for example:"
            f" datetime 01/05/2018 09:03 {BAD_DATE}"
        )
        assert (ended.message, ended.notes) == (None, [])
        with warehouse.connect() as connection:
            kept = [(rejected.line, rejected.record) for rejected in rejections(connection, ended.id)]
        assert kept == list(enumerate(content.splitlines()[1:], start=2))
        assert held(warehouse).keys() <= {"silver.rejected_row", "ops.chunk"}
    with warehouse.connect() as connection:
        retry(connection, ended.id)
        assert run_ingestion(warehouse, 1).error == ended.error
        remove(connection, ended.id)
    assert (held(warehouse), pieces(warehouse)) == ({}, 0)


def test_records_that_fit_no_table_alone_fail_too_and_are_found_again(warehouse, ingest):
    for _ in range(2):
        ended = ingest(HEADER + b"Prague\n" * 2)
        assert (ended.state, ended.rows_rejected) == ("failed", 2)
        assert "most often (2 rows): has 1 column where the header has 5." in ended.error
        assert held(warehouse) == {"silver.rejected_row": 2}


def test_one_row_is_worded_as_one(ingest):
    assert ingest(day_first(1), "failed.csv").error == (
        f"Its only row could not be loaded: datetime 01/05/2018 09:03 {BAD_DATE}"
    )
    assert ingest(mixed(1, 1), "one.csv").message == "1 trip loaded, 1 row rejected: datetime is missing."
    assert ingest(mixed(2, 0), "two.csv").message == "2 trips loaded, 0 rows rejected."
    assert ingest(mixed(2, 1), "limited.csv", max_rejected="0").error == (
        "Nothing was loaded: max_rejected allows 0, and 1 of its 3 rows was rejected: datetime is missing."
    )


def test_the_most_frequent_reason_is_in_the_message(warehouse, ingest, rows):
    ended = ingest(mixed(rows * 10, rows))
    often = rows - rows // 10
    message = f"{rows * 10:,} trips loaded, {rows:,} rows rejected; most often ({often:,} rows): datetime is missing."
    assert (ended.state, ended.message) == ("succeeded", message)
    assert [done.message for done in rebuild(warehouse, "silver")] == [message]


def test_reasons_that_differ_in_the_value_only_are_counted_together(ingest):
    values = [b"POINT (14 %d)" % latitude for latitude in range(91, 96)]
    wrong = b"".join(row().replace(b"POINT (14.4 50.1)", value) for value in values)
    ended = ingest(HEADER + row() + row(b"") * 4 + wrong)
    assert ended.message == (
        "1 trip loaded, 9 rows rejected; most often (5 rows), for example: origin_coord: latitude 91 is not between -90"
        " and 90."
    )


def test_only_so_many_rejected_rows_are_grouped_and_the_message_says_so(ingest, monkeypatch):
    monkeypatch.setattr("tripsmith.ingestion.outcome._ROWS_EXAMINED", 5)
    ended = ingest(mixed(1, 20))
    assert ended.message == (
        "1 trip loaded, 20 rows rejected; most often (5 of the first 5 rejected rows): datetime is missing."
    )


def test_more_rejected_rows_than_allowed_fail_the_file_and_a_higher_limit_lets_it_succeed(warehouse, ingest, rows):
    content = mixed(rows * 9, rows)  # a tenth
    for limit in (str(rows - 1), "9.99%", "0"):
        ended = ingest(content, max_rejected=limit)
        assert (ended.id, ended.state, ended.rows_read, ended.rows_loaded) == ("1", "failed", rows * 10, 0)
        assert ended.error == (
            f"Nothing was loaded: max_rejected allows {limit}, and {rows:,} of its {rows * 10:,} rows were rejected;"
            f" most often ({rows - rows // 10:,} rows): datetime is missing."
        )
        assert held(warehouse).keys() <= {"silver.rejected_row", "ops.chunk"}
        with warehouse.connect() as connection:
            assert len(list(rejections(connection, "1"))) == rows
    ended = ingest(content, max_rejected="10%")
    assert (ended.id, ended.state, ended.rows_loaded, ended.rows_rejected) == ("1", "succeeded", rows * 9, rows)
    assert ended.error is None
    with warehouse.connect() as connection:
        check_sums(connection, "1")


def test_a_failed_file_sent_without_a_limit_succeeds(warehouse, ingest):
    assert ingest(mixed(9, 1), max_rejected="0").state == "failed"
    assert ingest(mixed(9, 1)).state == "succeeded"


def test_the_limit_is_kept_for_another_process(warehouse, ingest, tmp_path):
    (tmp_path / "a.csv").write_bytes(mixed(9, 1))
    with warehouse.connect() as connection:
        submit(connection, tmp_path / "a.csv", "a.csv", Options(max_rejected="5%"))
    assert run_ingestion(warehouse, 1).state == "failed"
    with warehouse.connect() as connection:
        retry(connection, "1")
    assert run_ingestion(warehouse, 1).state == "failed"


@pytest.mark.parametrize("limit", ["", "x", "-1", "5 %", "101%", "5%%", "1e3", "1,000", "½", "٣"])
def test_a_limit_that_is_none_is_refused(warehouse, tmp_path, limit):
    (tmp_path / "a.csv").write_bytes(mixed(9, 1))
    with (
        warehouse.connect() as connection,
        pytest.raises(BadFileError, match=r"must be a number of rows such as 100, or a share such as 5%\.$") as refusal,
    ):
        submit(connection, tmp_path / "a.csv", "a.csv", Options(max_rejected=limit))
    assert refusal.value.parameter == "max_rejected"


def test_a_file_that_failed_as_nothing_was_loaded_can_be_sent_with_other_options(warehouse, ingest, rows):
    content = HEADER + row(region="Köln".encode("latin-1")) * rows
    assert ingest(content).state == "failed"
    ended = ingest(content, encoding="latin-1")
    assert (ended.id, ended.state, ended.rows_loaded) == ("2", "succeeded", rows)
    with warehouse.connect() as connection:
        check_sums(connection, "2")
        before = get_ingestion(connection, "1")
        assert (before.state, before.message) == ("removed", "Replaced: the same file was sent with other options.")
        assert connection.execute("SELECT count(*) FROM silver.rejected_row").fetchone() == (0,)
        with pytest.raises(IngestionConflictError, match="ingestion 2 already, with encoding iso8859-1, not "):
            ingest(content)
        remove(connection, "2")
    assert (held(warehouse), pieces(warehouse)) == ({}, 0)


def test_a_failed_file_sent_at_once_with_different_options_is_replaced_once(warehouse, ingest, tmp_path):
    content = HEADER + row(region="Köln".encode("latin-1")) * 20
    assert ingest(content).state == "failed"
    found, start = [], threading.Barrier(6)

    def send(encoding: str) -> None:
        with warehouse.connect() as connection:
            start.wait()
            try:
                found.append(submit(connection, tmp_path / "trips.csv", "trips.csv", Options(encoding=encoding)))
            except IngestionConflictError as error:
                found.append(error)

    threads = [threading.Thread(target=send, args=(encoding,)) for encoding in ("latin-1", "cp1252") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [one for one in found if not isinstance(one, IngestionConflictError)]
    assert (len(found), len(sent), sum(one.is_new for one in sent)) == (6, 3, 1)
    assert {one.ingestion.id for one in sent} == {"2"}
    with warehouse.connect() as connection:
        states = connection.execute("SELECT state FROM ops.ingestion ORDER BY id").fetchall()
    assert states == [("removed",), ("queued",)]


def test_a_failed_file_that_could_go_on_is_not_replaced(warehouse, ingest, monkeypatch):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 16)
    content = HEADER + row() * 3000
    ended = ingest(content)
    with warehouse.connect() as connection:
        connection.execute("UPDATE ops.ingestion SET state = 'failed'")
    with pytest.raises(IngestionConflictError, match="ingestion 1 already"):
        ingest(content, override_region="Turin")
    assert ended.rows_loaded == 3000


def test_blank_lines_alone_after_the_header_fail(ingest):
    ended = ingest(HEADER + b"\n" * (2 << 20))
    assert (ended.state, ended.error) == ("failed", "The file has a header and no rows.")


def test_a_watched_folder_puts_a_file_that_failed_with_the_reason_into_failed(warehouse, tmp_path):
    (tmp_path / "bad.csv").write_bytes(day_first(20))
    (tmp_path / "limited.csv").write_bytes(mixed(9, 1))
    stop, taken = threading.Event(), []
    options = Options(max_rejected="5%")
    watching = threading.Thread(target=watch_folder, args=(warehouse, tmp_path, stop, taken.append, options))
    watching.start()
    try:
        deadline = time.monotonic() + 60
        while len(taken) < 2:
            assert time.monotonic() < deadline, f"of two files {taken} were ingested"
            time.sleep(0.05)
    finally:
        stop.set()
        watching.join()
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.csv")} == {
        "failed/bad.csv",
        "failed/limited.csv",
    }
    reasons = {name: (tmp_path / f"failed/{name}.csv.reasons.txt").read_text() for name in ("bad", "limited")}
    assert f"datetime 01/05/2018 09:03 {BAD_DATE}" in reasons["bad"]
    assert "was rejected: datetime is missing." in reasons["limited"]


def test_reasons_alike_are_counted_together_whatever_they_quote(warehouse, ingest):
    row = "Prague,POINT (14.5 50.0),POINT (14.4 50.1),{},car\n"
    times = [
        *("2018-05-28 09:03:40 CEST", "2018-05-29 09:03:40 Europe/Prague", "2018-05-30 10:00 EST"),
        *("2018-02-30 09:03:40", "2018-05-28 25:00:00", "28/05/2018", "2018-05-28", "2018-05-28T09:03+19"),
        *("NULL", "nan", "", "\\N"),
    ]
    ended = ingest(HEADER + "".join(row.format(time) for time in [*times, "2018-05-28 09:03:40"]).encode())
    with warehouse.connect() as connection:
        found = connection.execute(
            "SELECT silver.reason_kind(reason), count(*) FROM silver.rejected_row, unnest(reasons) AS reason GROUP BY 1"
        ).fetchall()
    assert (ended.rows_loaded, ended.rows_rejected) == (1, len(times))
    assert dict(found) == {
        "datetime is missing": 4,
        "datetime is not a date and time: names of time zones are not read": 3,
        "datetime is not a date and time: there is no such day": 1,
        "datetime is not a date and time: there is no such time of day": 1,
        "datetime is not a date and time: it has no time of day": 1,
        "datetime is not a date and time: the offset is not one from -15:59 to +15:59": 1,
        "datetime is not a date and time such as 2018-05-28 09:03:40": 1,
    }


@pytest.mark.parametrize("time", ["2018-05-28 09:03:40 EST", "2018-05-28 09:03 PM", "2018-05-28 09:03.5"])
def test_no_reason_has_what_separates_reasons(warehouse, ingest, time):
    row = "Prague,POINT (14.5 50.0),POINT (14.4 50.1),{},car\n"
    ended = ingest(HEADER + (row.format("2018-05-28 09:03:40") + row.format(time)).encode())
    with warehouse.connect() as connection:
        ((reason,),) = (row.reasons for row in rejections(connection, ended.id))
    assert "; " not in reason
