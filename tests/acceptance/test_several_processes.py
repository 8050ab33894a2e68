"""Two web servers and two workers on one database: everybody sees the same, and a worker that is killed is replaced."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from contents import check_sums
from test_live import Client, sample, send
from test_live_server import Server, a_server, a_trip, trips

from tripsmith.warehouse.database import Warehouse

ROWS = 1_000_000


@pytest.fixture
def settings(warehouse: Warehouse, tmp_path: Path) -> dict[str, str]:
    """One database, and one folder for uploads, as machines of their own would share them."""
    (tmp_path / "shared").mkdir()
    return {"TRIPSMITH_DATABASE_URL": warehouse.conninfo, "TRIPSMITH_SHARED_DIR": str(tmp_path / "shared")}


@contextmanager
def a_worker(settings: dict[str, str], data_dir: Path) -> Iterator[psutil.Process]:
    environment = os.environ | settings | {"TRIPSMITH_DATA_DIR": str(data_dir)}
    process = subprocess.Popen([sys.executable, "-m", "tripsmith", "worker"], env=environment)
    try:
        yield psutil.Process(process.pid)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def finished(document: dict) -> bool:
    return document["state"] in ("succeeded", "failed", "cancelled")


def steps(client: Client, ingestion_id: str) -> list[tuple[str, str | None]]:
    seen = [document for document in client.seen if document["id"] == ingestion_id]
    assert [document["rows_read"] for document in seen] == sorted(document["rows_read"] for document in seen)
    return list(dict.fromkeys((document["state"], document["phase"]) for document in seen))


def connections(process: psutil.Process) -> int:
    return len(process.net_connections("unix"))


def test_clients_of_both_servers_see_a_job_that_outlives_its_worker(
    settings: dict[str, str], warehouse: Warehouse, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        servers: list[Server] = [stack.enter_context(a_server("--workers", "0", **settings)) for _ in range(2)]
        workers = [stack.enter_context(a_worker(settings, tmp_path / name)) for name in ("a", "b")]
        clients = [Client(server.url) for server in servers]
        for client in clients:
            stack.callback(client.close)
        sent = send(servers[0], "large.csv", sample(ROWS, 1))
        clients[1].until(lambda document: document["id"] == sent and document["rows_read"] > 0)
        # Whoever works on it holds a connection for each lane.
        victim = max(workers, key=connections)
        assert connections(victim) > min(connections(worker) for worker in workers)
        victim.kill()
        for client in clients:
            last = client.until(lambda document: document["id"] == sent and finished(document))
            assert (last["state"], last["rows_loaded"]) == ("succeeded", ROWS)
            assert steps(client, sent) == [
                *[step for step in steps(client, sent) if step[0] == "queued"],
                *[("running", phase) for phase in ("bronze", "silver", "gold")],
                ("succeeded", None),
            ]
        assert servers[1].get("/api/v1/metrics/trips").json()["trips"] == ROWS
        # What is sent to the other one is the survivor's as well.
        small = send(servers[1], "small.csv", trips(a_trip("Both")))
        for client in clients:
            client.until(lambda document: document["id"] == small and document["state"] == "succeeded")
        assert list((tmp_path / "shared/uploads").iterdir()) == []
    with warehouse.connect() as connection:
        check_sums(connection, sent)


def test_a_file_that_another_machine_has_is_left_to_it_and_one_that_is_gone_is_told(
    settings: dict[str, str], tmp_path: Path
) -> None:
    uploads = tmp_path / "shared/uploads"
    with a_server("--workers", "0", **settings) as server:
        gone = send(server, "gone.csv", trips(a_trip("Gone")))
        for upload in uploads.iterdir():
            upload.unlink()
        with a_worker(settings | {"TRIPSMITH_SHARED_DIR": str(tmp_path)}, tmp_path / "a"), _following(server) as client:
            # This one's uploads lie elsewhere: it takes what it sees, and no more.
            seen = send(server, "seen.csv", trips(a_trip("Seen")))
            client.until(lambda document: document["id"] == seen and document["state"] == "succeeded")
            assert server.get(f"/api/v1/ingestions/{gone}").json()["state"] == "queued"
        with a_worker(settings, tmp_path / "b"), _following(server) as client:
            last = client.until(lambda document: document["id"] == gone and finished(document))
            assert last["state"] == "failed"
            assert "There is no file" in last["error"]


@contextmanager
def _following(server: Server) -> Iterator[Client]:
    client = Client(server.url)
    try:
        yield client
    finally:
        client.close()
