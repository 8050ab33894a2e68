"""The worker in bad weather: connections that are cut, a server that is taken down by what it is given, bad files."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from contents import check_sums

from tripsmith.ingestion import worker
from tripsmith.ingestion.ingestion import Ingestion, get_ingestion
from tripsmith.ingestion.submission import submit
from tripsmith.sample.generator import write_sample
from tripsmith.warehouse.database import Warehouse

# Whoever copies rows into this table takes its own connection down, as a file that exhausts the server would.
POISON = """
CREATE FUNCTION ops.take_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid());
    RETURN NEW;
END;
$$;
CREATE TRIGGER poison BEFORE INSERT ON ops.chunk FOR EACH ROW WHEN (NEW.ingestion_id = 1)
    EXECUTE FUNCTION ops.take_down();
"""


@contextmanager
def working(warehouse: Warehouse, uploads: Path) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(warehouse, uploads, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def queue(warehouse: Warehouse, path: Path) -> str:
    with warehouse.connect() as connection:
        return submit(connection, path, path.name).ingestion.id


def until(warehouse: Warehouse, ingestion_id: str, is_it: Callable[[Ingestion], bool]) -> Ingestion:
    deadline = time.monotonic() + 120
    while True:
        with warehouse.connect() as connection:
            found = get_ingestion(connection, ingestion_id)
        if is_it(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def finished(ingestion: Ingestion) -> bool:
    return ingestion.is_finished


def write(path: Path, rows: int, seed: int) -> Path:
    with path.open("wb") as file:
        write_sample(file, rows, seed)
    return path


@pytest.mark.both_servers
def test_an_ingestion_whose_connections_are_cut_is_tried_again(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = 500_000
    sent = queue(warehouse, write(tmp_path / "trips.csv", rows, 1))
    with working(warehouse, tmp_path):
        for _ in range(3):
            until(warehouse, sent, lambda found: found.state == "running")
            with warehouse.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            time.sleep(0.3)
        ended = until(warehouse, sent, finished)
    assert (ended.state, ended.rows_loaded) == ("succeeded", rows)
    with warehouse.connect() as connection:
        check_sums(connection, sent)


def test_what_takes_the_server_down_each_time_is_given_up_and_does_not_hold_up_others(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_LOSSES_MAX", 3)
    with warehouse.connect() as connection:
        connection.execute(POISON)
    poison, other = (queue(warehouse, write(tmp_path / f"{seed}.csv", 100, seed)) for seed in (1, 2))
    assert poison == "1"
    with working(warehouse, tmp_path):
        assert until(warehouse, other, finished).state == "succeeded"
        with warehouse.connect() as connection:
            assert not get_ingestion(connection, poison).is_finished
        ended = until(warehouse, poison, finished)
    assert ended.state == "failed"
    assert "The database was lost 3 times in a row" in (ended.error or "")


def test_a_file_that_is_wrong_is_tried_once(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "trips.csv", 100, 1)
    sent = queue(warehouse, path)
    path.write_bytes(path.read_bytes() + b'"never closed\n')
    with working(warehouse, tmp_path):
        ended = until(warehouse, sent, finished)
        time.sleep(2)  # longer than the first try again would wait
        with warehouse.connect() as connection:
            assert get_ingestion(connection, sent) == ended
    assert ended.state == "failed"
