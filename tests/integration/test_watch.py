"""The watched folder: a real one, with real files dropped, grown, renamed and left while nobody watches."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from contents import check_sums

from tripsmith.ingestion.ingestion import list_ingestions
from tripsmith.ingestion.submission import Options
from tripsmith.ingestion.watch import SETTLED_SECONDS, Taken, watch_folder
from tripsmith.sample.generator import write_sample

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
ROW = b"Brno,POINT (16.6 49.2),POINT (16.61 49.21),2018-05-28 09:03:%02d,app\n"


def trips(*seconds: int) -> bytes:
    return HEADER + b"".join(ROW % second for second in seconds)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def watching(warehouse, folder):
    """Watch the folder for the length of a block; yield the list of what was taken."""

    @contextmanager
    def watching(options: Options | None = None) -> Iterator[list[Taken]]:
        taken: list[Taken] = []
        stop = threading.Event()
        thread = threading.Thread(target=watch_folder, args=(warehouse, folder, stop, taken.append, options))
        thread.start()
        try:
            yield taken
        finally:
            stop.set()
            thread.join()

    return watching


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def states(warehouse) -> list[str]:
    with warehouse.connect() as connection:
        return [i.state for i in list_ingestions(connection)]


def loaded(warehouse) -> dict[str, int]:
    with warehouse.connect() as connection:
        return {i.file_name: i.rows_loaded for i in list_ingestions(connection) if i.state == "succeeded"}


@pytest.mark.both_servers
def test_good_files_go_to_done_and_bad_ones_with_reasons_to_failed(warehouse, folder, watching):
    with watching() as taken:
        (folder / "good.csv").write_bytes(trips(1, 2))
        (folder / "2018/may").mkdir(parents=True)
        (folder / "2018/may/deep.csv").write_bytes(trips(3))
        (folder / "bad.csv").write_bytes(b"this is,no file\nof,trips\n")
        (folder / "empty.csv").touch()
        until(lambda: len(taken) == 4)
    assert files(folder) == {
        "done/good.csv",
        "done/2018/may/deep.csv",
        "failed/bad.csv",
        "failed/bad.csv.reasons.txt",
        "failed/empty.csv",
        "failed/empty.csv.reasons.txt",
    }
    assert "bad.csv: " in (folder / "failed/bad.csv.reasons.txt").read_text()
    assert "The file is empty" in (folder / "failed/empty.csv.reasons.txt").read_text()
    assert loaded(warehouse) == {"good.csv": 2, "2018/may/deep.csv": 1}


def test_what_lay_there_while_nobody_watched_is_taken_and_known_content_changes_nothing(warehouse, folder, watching):
    (folder / "a.csv").write_bytes(trips(1, 2))
    with watching() as taken:
        until(lambda: len(taken) == 1)
        (folder / "a.csv").write_bytes(trips(3))
        until(lambda: len(taken) == 2)
    (folder / "again.csv").write_bytes(trips(1, 2))
    with watching() as taken:
        until(lambda: len(taken) == 1)
        assert "in the warehouse already, as ingestion 1" in taken[0].message
    assert files(folder) == {"done/a.csv", "done/a-2.csv", "done/again.csv"}
    with warehouse.connect() as connection:
        assert [i.rows_loaded for i in list_ingestions(connection)] == [1, 2]


def test_a_file_that_grows_is_taken_when_it_is_whole_and_unfinished_names_are_left(warehouse, folder, watching):
    (folder / "download.csv.part").write_bytes(trips(1))
    (folder / ".hidden.csv").write_bytes(trips(2))
    with watching() as taken:
        with (folder / "growing.csv").open("wb", buffering=0) as file:
            file.write(HEADER)
            for second in range(30):
                file.write(ROW % second)
                time.sleep(0.1)
        (folder / "download.csv.part").rename(folder / "download.csv")
        until(lambda: len(taken) == 2)
    assert loaded(warehouse) == {"growing.csv": 30, "download.csv": 1}
    assert files(folder) == {"done/growing.csv", "done/download.csv", ".hidden.csv"}


def test_a_file_that_a_program_has_open_is_held_back_until_it_is_closed(warehouse, folder, watching):
    with watching() as taken:
        with (folder / "slow.csv").open("wb", buffering=0) as file:
            file.write(trips(*range(10)))
            time.sleep(2 * SETTLED_SECONDS)
            assert loaded(warehouse) == {}
            file.write(b"".join(ROW % second for second in range(10, 20)))
        until(lambda: len(taken) == 1)
    assert loaded(warehouse) == {"slow.csv": 20}
    assert files(folder) == {"done/slow.csv"}


def test_a_file_that_is_appended_to_while_it_is_ingested_is_loaded_once_and_whole(warehouse, folder, watching, caplog):
    with warehouse.connect() as connection, watching() as taken:
        # The half is held up after it was read, until another row has come to the file.
        with connection.transaction():
            connection.execute("LOCK TABLE silver.trip IN ACCESS EXCLUSIVE MODE")
            (folder / "slow.csv").write_bytes(trips(*range(10)))
            until(lambda: connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (0,))
            with (folder / "slow.csv").open("ab") as file:
                file.write(ROW % 10)
        until(lambda: len(taken) == 1)
        assert connection.execute("SELECT count(*) FROM silver.trip").fetchone() == (11,)
    assert states(warehouse) == ["succeeded", "removed"]
    assert files(folder) == {"done/slow.csv"}
    assert re.search(r"slow.csv was written to .*: ingestion 1, 10 trips, is removed again", caplog.text)


def test_what_is_written_to_a_file_in_done_is_reported(warehouse, folder, watching, caplog):
    with watching() as taken:
        (folder / "late.csv").write_bytes(trips(1))
        until(lambda: len(taken) == 1)
        with (folder / "done/late.csv").open("ab") as file:
            file.write(ROW % 2)
        until(lambda: "done/late.csv was written to after it was ingested" in caplog.text)
    assert "is NOT in the warehouse" in caplog.text
    assert loaded(warehouse) == {"late.csv": 1}


def test_links_are_left_alone_and_nothing_outside_is_touched(warehouse, folder, watching, tmp_path, caplog):
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    for path in (outside / "mine.csv", outside / "sub/photo.jpg"):
        path.write_bytes(trips(1))
    (folder / "link").symlink_to(outside)
    (folder / "link.csv").symlink_to(outside / "mine.csv")
    with watching() as taken:
        (folder / "linked-later").symlink_to(outside)
        (outside / "later.csv").write_bytes(trips(2))
        (folder / "good.csv").write_bytes(trips(3))
        until(lambda: taken)
        until(lambda: caplog.text.count("is a symbolic link") == 3)
    assert files(outside) == {"mine.csv", "later.csv", "sub/photo.jpg"}
    assert [str(one.path) for one in taken] == ["good.csv"]
    assert loaded(warehouse) == {"good.csv": 1}


def test_done_as_a_link_is_not_followed(warehouse, folder, watching, tmp_path, caplog):
    (tmp_path / "outside").mkdir()
    (folder / "done").symlink_to(tmp_path / "outside")
    (folder / "a.csv").write_bytes(trips(1))
    with watching():
        until(lambda: "it cannot be moved to done/" in caplog.text)
    assert files(tmp_path / "outside") == set()
    assert (folder / "a.csv").is_file()


def test_names_that_are_not_utf_8_or_too_long_are_filed_with_their_reasons(warehouse, folder, watching):
    names = [b"Z\xfcrich.csv", b"new\nline.csv", b"x" * 246 + b".csv", b"y" * 251 + b".csv"]
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_bytes(trips(number))
    (folder / ("z" * 251 + ".csv")).write_bytes(b"no trips\n")
    with watching() as taken:
        until(lambda: len(taken) == 5)
        (folder / "good.csv").write_bytes(trips(9))
        until(lambda: len(taken) == 6)
    assert [one.name for one in taken if not one.is_done] == ["Z\\xfcrich.csv", "z" * 251 + ".csv"]
    assert "new\\nline.csv" in [one.name for one in taken]
    failed = {os.fsencode(path.name) for path in (folder / "failed").iterdir()}
    stem = b"z" * (255 - len(".csv.reasons.txt"))
    assert failed == {b"Z\xfcrich.csv", b"Z\xfcrich.csv.reasons.txt", stem + b".csv", stem + b".csv.reasons.txt"}
    reasons = (folder / "failed" / os.fsdecode(b"Z\xfcrich.csv.reasons.txt")).read_text()
    assert reasons.startswith("Z\\xfcrich.csv: The name of the file is not UTF-8")
    assert len(loaded(warehouse)) == 4


def test_failed_as_a_file_keeps_nothing_else_out(warehouse, folder, watching, caplog):
    (folder / "failed").write_text("mine")
    (folder / "bad.csv").write_bytes(b"no trips\n")
    with watching() as taken:
        until(lambda: "bad.csv: " in caplog.text)
        (folder / "good.csv").write_bytes(trips(1))
        until(lambda: taken)
        (folder / "bad.csv").touch()  # it has changed, and is tried again
        until(lambda: caplog.text.count("it cannot be moved to failed/") == 2)
    assert files(folder) == {"failed", "bad.csv", "done/good.csv"}
    assert (folder / "failed").read_text() == "mine"


def test_a_folder_moved_into_place_and_options_for_all_files(warehouse, folder, watching, tmp_path):
    (tmp_path / "week").mkdir()
    (tmp_path / "week/one.csv").write_bytes(trips(1).replace(b"region,", b"").replace(b"Brno,", b""))
    with watching(Options(region="Moravia")) as taken:
        (tmp_path / "week").rename(folder / "week")
        until(lambda: len(taken) == 1)
    with warehouse.connect() as connection:
        assert connection.execute("SELECT name FROM silver.region").fetchall() == [("Moravia",)]


def test_two_thousand_files_copied_and_renamed_half_while_nobody_watches_are_taken_once(
    warehouse, folder, watching, tmp_path
):
    (tmp_path / "outside").mkdir()

    def drop(numbers: range) -> None:
        for number in numbers:
            content = HEADER + ROW % (number % 60) + ROW.replace(b"49.2)", b"49.%d)" % (1000 + number)) % 0
            if number % 2:
                (folder / f"copied-{number:04}.csv").write_bytes(content)
            else:
                (tmp_path / "outside" / f"renamed-{number:04}.csv").write_bytes(content)
                (tmp_path / "outside" / f"renamed-{number:04}.csv").rename(folder / f"renamed-{number:04}.csv")

    drop(range(1000))
    with watching() as taken:
        until(lambda: taken)
        drop(range(1000, 2000))
        until(lambda: len(taken) == 2000, seconds=300)
    assert all(one.is_done for one in taken)
    assert len({one.path for one in taken}) == len(list((folder / "done").iterdir())) == 2000
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM silver.trip").fetchone() == (4000,)
        counted = connection.execute("SELECT count(*), count(DISTINCT file_name), sum(rows_loaded) FROM ops.ingestion")
        assert counted.fetchone() == (2000, 2000, 4000)


def test_a_watcher_that_is_killed_leaves_the_file_and_the_next_one_brings_it_to_its_end(warehouse, folder, monkeypatch):
    rows = 600_000
    with (folder.parent / "trips.csv").open("wb") as file:
        write_sample(file, rows, invalid_every=1000)
    (folder.parent / "trips.csv").rename(folder / "trips.csv")
    command = [sys.executable, "-m", "tripsmith", "watch", str(folder)]
    monkeypatch.setenv("TRIPSMITH_DATABASE_URL", warehouse.conninfo)

    def read() -> tuple[str, int]:
        with warehouse.connect() as connection:
            return next(((i.state, i.rows_read) for i in list_ingestions(connection)), ("", 0))

    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: read()[1] > 0)
    first.kill()
    first.wait()
    assert files(folder) == {"trips.csv"}
    second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until(lambda: files(folder) == {"done/trips.csv"}, seconds=120)
    second.send_signal(signal.SIGTERM)
    out, _ = second.communicate(timeout=30)
    assert (second.returncode, out.count("\n")) == (0, 1)
    assert out.startswith(f"trips.csv: ingestion 1: {rows - rows // 1000:,} trips loaded")
    with warehouse.connect() as connection:
        check_sums(connection, "1")
