"""Live events of version 1, seen by the stock python-socketio client."""

import io
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import socketio
from test_live_server import Server, a_server, a_trip, server, trips  # noqa: F401

from tripsmith.sample.generator import write_sample
from tripsmith.web.api import documents

LONG = 120


class Client:
    """What a client of /ingestions has been sent, in order."""

    def __init__(self, url: str) -> None:
        self._received: queue.Queue[dict] = queue.Queue()
        self.seen: list[dict] = []
        self._client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
        self._client.on("ingestion", self._received.put, namespace="/ingestions")
        self._client.connect(url, namespaces=["/ingestions"])

    def until(self, is_it: Callable[[dict], bool]) -> dict:
        while True:
            document = self._received.get(timeout=LONG)
            documents.Ingestion.model_validate(document)
            self.seen.append(document)
            if is_it(document):
                return document

    def close(self) -> None:
        self._client.disconnect()


@contextmanager
def a_client(server: Server) -> Iterator[Client]:  # noqa: F811
    client = Client(server.url)
    try:
        yield client
    finally:
        client.close()


def send(server: Server, name: str, content: bytes) -> str:  # noqa: F811
    answer = server.post(f"/api/v1/ingestions?name={name}", data=content, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def sample(rows: int, seed: int) -> bytes:
    content = io.BytesIO()
    write_sample(content, rows, seed)
    return content.getvalue()


@pytest.mark.parametrize("rows", [100, 300_000])
def test_every_phase_and_the_final_state_arrive(server: Server, rows: int) -> None:  # noqa: F811
    with a_client(server) as client:
        sent = send(server, "phases.csv", sample(rows, 1))
        last = client.until(lambda document: document["id"] == sent and document["state"] == "succeeded")
        seen = [document for document in client.seen if document["id"] == sent]
    steps = list(dict.fromkeys((document["state"], document["phase"]) for document in seen))
    running = [("running", phase) for phase in ("bronze", "silver", "gold")]
    assert [step for step in steps if step[0] == "running"] == running
    assert steps[-1] == ("succeeded", None)
    assert last["rows_read"] == last["rows_loaded"] + last["rows_rejected"] == rows
    assert last["file_name"] == "phases.csv"
    assert [document["rows_read"] for document in seen] == sorted(document["rows_read"] for document in seen)
    assert last == server.get(f"/api/v1/ingestions/{sent}").json()


def test_a_client_that_comes_late_is_sent_the_present_state(server: Server) -> None:  # noqa: F811
    with a_client(server) as early:
        sent = send(server, "late.csv", trips(a_trip("Late")))
        early.until(lambda document: document["id"] == sent and document["state"] == "succeeded")
    with a_client(server) as late:
        assert late.until(lambda document: document["id"] == sent)["state"] == "succeeded"


def test_many_small_files_all_reach_their_final_state(server: Server) -> None:  # noqa: F811
    with a_client(server) as client:
        sent = {send(server, f"{number}.csv", trips(a_trip(f"Small {number}"))) for number in range(40)}
        finished = set()
        while finished != sent:
            finished.add(
                client.until(lambda document: document["id"] in sent and document["state"] == "succeeded")["id"]
            )


def test_a_client_survives_a_reload_of_the_web_workers(server: Server) -> None:  # noqa: F811
    with a_client(server) as client:
        assert server.post("/restart-server").json() == {"message": "Server restarting..."}
        sent = send(server, "reload.csv", trips(a_trip("Reload")))
        assert client.until(lambda document: document["id"] == sent and document["state"] == "succeeded")


def test_a_page_of_another_site_is_refused(server: Server) -> None:  # noqa: F811
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(server.url, namespaces=["/ingestions"], headers={"Origin": "http://evil.example"})


def test_an_ingestion_that_stays_queued_is_sent_to_those_who_are_there_and_to_those_who_come() -> None:
    with a_server("--workers", "0") as idle, a_client(idle) as early:
        number = send(idle, "waiting.csv", trips(a_trip("Waiting")))
        assert early.until(lambda document: document["id"] == number)["state"] == "queued"
        with a_client(idle) as late:
            assert late.until(lambda document: document["id"] == number)["state"] == "queued"
