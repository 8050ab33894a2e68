"""Live events under load: N stock Socket.IO clients watch a file go through; and what uploads cost over local files.

python -m benchmarks.live --clients 500 --rows 2000000      delays from database commit to client, in milliseconds
python -m benchmarks.live --resumed --rows 17000000         2 GB by tus, cut at the half; the server's memory
python -m benchmarks.live --upload --rows 2000000           upload and ingestion against `tripsmith ingest`, in turn
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests
import socketio  # type: ignore[import-untyped]
from tusclient.client import TusClient

from tripsmith.sample.generator import write_sample
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("benchmarks", "live.sql")

_TUS_CHUNK_BYTES = 16 << 20

# State, phase, rows read and bytes done: by these a message is told from others.
Key = tuple[str, str | None, int, int]


@dataclass(frozen=True, slots=True)
class Server:
    """A `tripsmith serve` of our own, and the process in it that carries HTTP and Socket.IO."""

    url: str
    data_dir: Path
    web: psutil.Process


@contextmanager
def a_server(folder: Path) -> Iterator[Server]:
    """Run a server on a free port, with data in a folder, for the length of a block."""
    environment = os.environ | {"TRIPSMITH_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "tripsmith", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        children = psutil.Process(process.pid).children()
        gunicorn = next(child for child in children if "gunicorn" in child.cmdline())
        yield Server(url, folder / "data", gunicorn.children()[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def watch(url: str, count: int) -> None:
    """Be `count` clients: say that all are there, follow the first ingestion to its end, and print what came."""
    asyncio.run(_watch(url, count))


async def _watch(url: str, count: int) -> None:
    heard: list[list[tuple[float, dict[str, Any]]]] = [[] for _ in range(count)]
    ended = [asyncio.Event() for _ in range(count)]
    clients = []
    for number in range(count):
        client = socketio.AsyncClient(reconnection=False)

        async def hear(document: dict[str, Any], number: int = number) -> None:
            heard[number].append((time.time(), document))
            if document["state"] == "succeeded":
                ended[number].set()

        client.on("ingestion", hear, namespace="/ingestions")
        await client.connect(url, namespaces=["/ingestions"], transports=["websocket"])
        clients.append(client)
    print("ready", flush=True)
    missing = 0
    for event in ended:
        try:
            await asyncio.wait_for(event.wait(), 300)
        except TimeoutError:
            missing += 1
    keys = [[(at, d["state"], d["phase"], d["rows_read"], d["bytes_done"]) for at, d in messages] for messages in heard]
    print(json.dumps({"missing": missing, "heard": keys}), flush=True)
    for client in clients:
        await client.disconnect()


class Use:
    """What a process takes while a block runs: seconds of CPU, and the most memory it had, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.memory = 0

    def __enter__(self) -> "Use":
        self._before = sum(self._process.cpu_times()[:2])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seconds = sum(self._process.cpu_times()[:2]) - self._before

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self.memory = max(self.memory, self._process.memory_info().rss)


def send(server: Server, path: Path) -> str:
    """Upload a file as the body of a request; return the ingestion's id."""
    with path.open("rb") as file:
        url = f"{server.url}/api/v1/ingestions?name={path.name}"
        sent = requests.post(url, data=file, headers={"Content-Type": "text/csv"}, timeout=600)
    sent.raise_for_status()
    return str(sent.json()["id"])


def measure_delays(folder: Path, clients: int, processes: int, rows: int) -> None:
    """Have clients watch one ingestion; print how late each of its messages was, and whether each client got all."""
    path = folder / "trips.csv"
    with path.open("wb") as file:
        write_sample(file, rows, 1)
    with a_server(folder) as server, psycopg.connect(_conninfo(server), autocommit=True) as connection:
        connection.execute(QUERIES["note_changes"])
        share = [clients // processes + (number < clients % processes) for number in range(processes)]
        command = [sys.executable, "-m", "benchmarks.live", "--watch", server.url, "--clients"]
        watchers = [
            subprocess.Popen([*command, str(count)], stdout=subprocess.PIPE, text=True) for count in share if count
        ]
        for watcher in watchers:
            assert watcher.stdout is not None
            assert watcher.stdout.readline() == "ready\n"
        started = time.monotonic()
        with Use(server.web) as use:
            ingestion_id = send(server, path)
            said = [json.loads(watcher.communicate()[0]) for watcher in watchers]
        seconds = time.monotonic() - started
        written: dict[Key, list[float]] = {
            (state, phase, rows_read, bytes_done): moments
            for state, phase, rows_read, bytes_done, moments in connection.execute(
                QUERIES["list_changes"], {"ingestion_id": ingestion_id}
            )
        }
    heard = [messages for document in said for messages in document["heard"]]
    missing = sum(document["missing"] for document in said)
    sequences = {tuple(tuple(key) for _, *key in messages) for messages in heard}
    in_order = all([key[2] for key in sequence] == sorted(key[2] for key in sequence) for sequence in sequences)
    delays = sorted(
        1000 * _since(written[tuple(key)], at) for messages in heard for at, *key in messages if tuple(key) in written
    )
    messages = sum(len(one) for one in heard)
    print(f"{clients} clients in {processes} processes, {rows:,} rows in {seconds:.1f} s")
    print(f"each got the last state: {missing == 0}; all got the same: {len(sequences) == 1}; in order: {in_order}")
    print(f"messages: {messages:,} ({messages / clients:.0f} a client), of which measured {len(delays):,}")
    quantiles = statistics.quantiles(delays, n=100)
    print(f"delay from commit, ms: p50 {quantiles[49]:.0f}, p99 {quantiles[98]:.0f}, most {delays[-1]:.0f}")
    print(f"web process: {use.seconds:.1f} s of CPU, {use.memory / 1e6:.0f} MB at most")


def _since(moments: list[float], at: float) -> float:
    """Return the seconds from when a state was last written: it may have been, unchanged, several times."""
    return at - max((moment for moment in moments if moment <= at), default=at)


def measure_upload(folder: Path, rows: int, rounds: int) -> None:
    """Take turns between `tripsmith ingest` of a file and its upload over HTTP; print both and the ratio."""
    path = folder / "trips.csv"
    with path.open("wb") as file:
        write_sample(file, rows, 1)
    local: list[float] = []
    uploaded: list[float] = []
    with a_server(folder) as server:
        environment = os.environ | {"TRIPSMITH_DATA_DIR": str(server.data_dir)}
        for _ in range(rounds):
            started = time.monotonic()
            command = [sys.executable, "-m", "tripsmith", "ingest", str(path), "--json"]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            local.append(time.monotonic() - started)
            _remove(server, json.loads(done.stdout)["ingestions"][0]["id"])
            started = time.monotonic()
            with Use(server.web) as use:
                ingestion_id = send(server, path)
                arrived = time.monotonic() - started
                while requests.get(f"{server.url}/api/v1/ingestions/{ingestion_id}", timeout=60).json()["state"] in (
                    "queued",
                    "running",
                ):
                    time.sleep(0.05)
            uploaded.append(time.monotonic() - started)
            _remove(server, ingestion_id)
            rate = path.stat().st_size / arrived / 1e6
            print(
                f"local {local[-1]:.2f} s, upload {uploaded[-1]:.2f} s, of which the transfer {arrived:.2f} s", end=""
            )
            print(f" ({rate:.0f} MB/s, web process {use.seconds:.1f} s of CPU, {use.memory / 1e6:.0f} MB at most)")
    print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, {rounds} rounds: upload and ingest take", end=" ")
    print(f"{statistics.median(uploaded) / statistics.median(local):.2f} x the time of `tripsmith ingest`")


def measure_resumed(folder: Path, rows: int) -> None:
    """Upload a file by tus, cut at the half, go on, ingest it; print what memory the web process took for it."""
    path = folder / "trips.csv"
    with path.open("wb") as file:
        write_sample(file, rows, 1)
    size = path.stat().st_size
    with a_server(folder) as server:
        client = TusClient(f"{server.url}/api/v1/uploads")
        before = server.web.memory_info().rss
        started = time.monotonic()
        with Use(server.web) as use:
            first = client.uploader(str(path), chunk_size=_TUS_CHUNK_BYTES, metadata={"filename": path.name})
            first.upload(stop_at=size // 2)
            second = client.uploader(str(path), chunk_size=_TUS_CHUNK_BYTES, url=first.url)
            resumed_at = second.offset
            second.upload()
            arrived = time.monotonic() - started
            page = f"{server.url}/api/v1/ingestions"
            while (found := requests.get(page, timeout=60).json()["ingestions"])[0]["state"] in ("queued", "running"):
                time.sleep(0.5)
        print(f"{size / 1e6:,.0f} MB by tus, cut and resumed at {resumed_at / 1e6:,.0f} MB: {arrived:.1f} s")
        print(f"ingestions: {len(found)}, {found[0]['state']}, {found[0]['rows_loaded']:,} of {rows:,} rows")
        print(f"web process: {before / 1e6:.0f} MB before, {use.memory / 1e6:.0f} MB at most")


def _remove(server: Server, ingestion_id: str) -> None:
    requests.delete(f"{server.url}/api/v1/ingestions/{ingestion_id}", timeout=600).raise_for_status()


def _conninfo(server: Server) -> str:
    return server.web.environ()["TRIPSMITH_DATABASE_URL"]


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2, help="how many processes hold the clients")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--upload", action="store_true", help="measure uploads instead")
    parser.add_argument("--resumed", action="store_true", help="measure an upload by tus that is cut at the half")
    parser.add_argument("--watch", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        watch(arguments.watch, arguments.clients)
        return
    # Not in a home that is closed to the user whom PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-live-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        if arguments.upload:
            measure_upload(folder, arguments.rows, arguments.rounds)
        elif arguments.resumed:
            measure_resumed(folder, arguments.rows)
        else:
            measure_delays(folder, arguments.clients, arguments.processes, arguments.rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
