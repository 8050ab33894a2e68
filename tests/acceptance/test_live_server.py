"""`tripsmith serve` as a user starts it: it says where it is, keeps itself running, and leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests
import socketio
from prometheus_client.parser import text_string_to_metric_families

SERVE = [sys.executable, "-m", "tripsmith", "serve"]
HEADER = "region,origin_coord,destination_coord,datetime,datasource\n"


class Server:
    """A server on a free port with data of its own."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.data_dir = folder / "data"
        self.log = folder / "log"
        self._arguments = arguments
        self._environment = os.environ | {"TRIPSMITH_DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1"} | settings
        self._start("0")

    def start_again(self) -> None:
        """After a stop: on the same data, and the same port."""
        self._start(self.url.rsplit(":", 1)[1])

    def _start(self, port: str) -> None:
        command = [*SERVE, "--port", port, *self._arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        said = self.process.stdout.readline()
        assert said.startswith("Tripsmith is at http://"), said + self.log.read_text()
        self.url = said.split()[-1]
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **options) -> requests.Response:
        return self.session.get(self.url + path, timeout=120, **options)

    def post(self, path: str, **options) -> requests.Response:
        return self.session.post(self.url + path, timeout=120, **options)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def web(self) -> psutil.Process:
        """The process that the web server's processes are children of."""
        return next(child for child in psutil.Process(self.process.pid).children() if "gunicorn" in child.cmdline())

    def kill_web(self) -> None:
        """Kill the web server and its children; `serve` starts it again."""
        web = self.web()
        for process in (web, *web.children(recursive=True)):
            process.kill()
        self.session.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)


@contextmanager
def a_server(*arguments: str, **settings: str) -> Iterator[Server]:
    # Not pytest's folder: the database's own user, if we are root, has to reach it.
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-", dir="/tmp"))
    folder.chmod(0o755)
    server = Server(folder, *arguments, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server() as running:
        yield running


def run(command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def trips(*rows: str) -> bytes:
    return (HEADER + "".join(row + "\n" for row in rows)).encode()


def a_trip(region: str = "Prague", day: str = "2018-05-01") -> str:
    return f"{region},POINT (14.5 50.05),POINT (14.41 50.09),{day} 10:00:00,cheap_mobile"


def test_it_is_ready_when_it_says_where_it_is(server: Server) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").json()["status"] == "ready"
    while server.get("/readyz").json() != {"status": "ready", "workers": 1}:
        time.sleep(0.1)
    assert "/api/docs" in server.get("/").text


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, tempfile.TemporaryDirectory() as folder:
        port = taken.getsockname()[1]
        environment = os.environ | {"TRIPSMITH_DATA_DIR": f"{folder}/data"}
        ended = run([*SERVE, "--port", str(port)], environment)
        assert ended.returncode == 1
        assert f"Port {port} is taken" in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
        assert not Path(folder, "data").exists()


@pytest.mark.parametrize("name", ["gunicorn", "worker"])
def test_a_process_that_is_killed_is_started_again(server: Server, name: str) -> None:
    victims = [child for child in psutil.Process(server.process.pid).children() if name in child.cmdline()]
    assert len(victims) == 1
    family = [victims[0], *victims[0].children(recursive=True)]
    victims[0].kill()
    assert psutil.wait_procs(family, timeout=60)[1] == []
    server.session.close()  # its connection was to the one that is gone
    assert server.post("/upload-csv", files={"file": ("a.csv", trips(a_trip(name)))}).status_code == 200
    assert server.get("/readyz").status_code == 200


def test_it_stops_with_all_its_processes() -> None:
    with a_server() as server:
        family = server.children()
        assert len(family) >= 3
        assert server.stop() == 0
        assert psutil.wait_procs(family, timeout=60)[1] == []
        assert not list(server.data_dir.glob("postgres/postmaster.pid"))


def test_its_children_end_when_it_is_killed() -> None:
    with a_server() as server:
        family = psutil.Process(server.process.pid).children()
        server.process.kill()
        server.process.wait(60)
        assert psutil.wait_procs(family, timeout=60)[1] == []
        # What is left is the database; the next user of the folder ends or adopts it.
        environment = os.environ | {"TRIPSMITH_DATA_DIR": str(server.data_dir)}
        subprocess.run([sys.executable, "-m", "tripsmith", "migrate"], env=environment, check=True)


def test_prometheus_reads_figures_that_are_true(server: Server) -> None:
    def figures() -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(server.get("/metrics").text)
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}

    before = figures()
    client = socketio.Client()
    client.connect(server.url, namespaces=["/ingestions"])
    try:
        body = trips(a_trip("Figures"), a_trip("Figures"), "no trip")
        sent = server.post("/api/v1/ingestions?name=figures.csv", data=body, headers={"Content-Type": "text/csv"})
        assert sent.status_code == 202
        while server.get(sent.headers["Location"]).json()["state"] != "succeeded":
            time.sleep(0.1)
        after = figures()
    finally:
        client.disconnect()
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    assert grown["tripsmith_ingestions", "succeeded"] == 1
    assert (grown["tripsmith_rows", "loaded"], grown["tripsmith_rows", "rejected"]) == (2, 1)
    assert grown["tripsmith_source_bytes",] == len(body)
    assert grown["tripsmith_live_clients",] == 1
    assert grown["tripsmith_request_seconds_count", "POST", "/api/v1/ingestions", "202"] == 1
    assert after["tripsmith_ingestions", "queued"] == after["tripsmith_queue_depth",] == 0
    assert after["tripsmith_queue_oldest_seconds",] == 0
    assert after["tripsmith_workers",] == 1
    for phase in ("bronze", "silver", "gold"):
        assert ("tripsmith_phase_seconds_count", phase) in after


def test_a_log_for_machines_is_json_in_every_line() -> None:
    with a_server(TRIPSMITH_LOG_FORMAT="json", TRIPSMITH_LOG_LEVEL="info") as server:
        sent = server.post(
            "/api/v1/ingestions?name=log.csv", data=trips(a_trip()), headers={"Content-Type": "text/csv"}
        )
        while server.get(sent.headers["Location"]).json()["state"] != "succeeded":
            time.sleep(0.1)
        victim = next(child for child in psutil.Process(server.process.pid).children() if "worker" in child.cmdline())
        victim.kill()
        while "is started again" not in server.log.read_text():
            time.sleep(0.1)
        server.stop()
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert all({"time", "level", "logger", "message", "process"} <= set(line) for line in lines)
    requests_seen = [line for line in lines if line.get("path") == "/api/v1/ingestions"]
    assert [(line["method"], line["status"]) for line in requests_seen] == [("POST", 202)]
    assert any("ingestion 1 succeeded" in line["message"] for line in lines)
    assert any("the worker ended" in line["message"] for line in lines)
