"""Tokens, as they guard a server that other machines could reach: over HTTP and Socket.IO, by the same rules."""

import json
import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import socketio
from conftest import new_warehouse
from test_live_server import SERVE, Server, a_server, a_trip, trips

ROLES = ("reader", "ingester", "admin")
CSV = {"Content-Type": "text/csv"}


def tripsmith(database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"TRIPSMITH_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "tripsmith", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def make_token(database_url: str, name: str, role: str) -> str:
    made = tripsmith(database_url, "token", "create", name, "--role", role)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


class Guarded:
    """A server on all addresses, and a token of each role."""

    def __init__(self, server: Server, database_url: str, tokens: dict[str, str]) -> None:
        self.server = server
        self.database_url = database_url
        self.tokens = tokens
        self.url = server.url.replace("0.0.0.0", "127.0.0.1")

    def ask(self, method: str, path: str, token: str | None = None, **options) -> requests.Response:
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.server.session.request(method, self.url + path, headers=headers, timeout=60, **options)


@pytest.fixture(scope="module")
def guarded(embedded_server: str) -> Iterator[Guarded]:
    with new_warehouse(embedded_server) as warehouse:
        tokens = {role: make_token(warehouse.conninfo, role, role) for role in ROLES}
        with a_server("--host", "0.0.0.0", TRIPSMITH_DATABASE_URL=warehouse.conninfo) as server:
            yield Guarded(server, warehouse.conninfo, tokens)


def test_other_machines_are_not_served_without_a_token(tmp_path: Path, embedded_server: str) -> None:
    for settings, arguments in (({}, ["--host", "0.0.0.0"]), ({"TRIPSMITH_PUBLIC_NAMES": "trips.example"}, [])):
        with new_warehouse(embedded_server) as warehouse:
            environment = os.environ | {"TRIPSMITH_DATABASE_URL": warehouse.conninfo} | settings
            command = [*SERVE, "--port", "0", *arguments]
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert ended.returncode == 1
            assert "tripsmith token create NAME --role admin" in ended.stderr
            assert len(ended.stderr.splitlines()) == 1


# Method, path, and the least role that it takes; nothing is changed by any of these but by the administrator's.
REQUESTS = [
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/", None),
    ("GET", "/api/docs", None),
    ("GET", "/api/openapi.json", None),
    ("GET", "/spec", None),
    ("GET", "/metrics", "reader"),
    ("GET", "/api/v1/regions", "reader"),
    ("GET", "/api/v1/ingestions", "reader"),
    ("GET", "/api/v1/nowhere", "reader"),
    ("GET", "/weekly-average-trips?region=x", "reader"),
    ("POST", "/api/v1/ingestions/0/cancel", "ingester"),
    ("POST", "/api/v1/ingestions/0/retry", "ingester"),
    ("DELETE", "/api/v1/ingestions/0", "ingester"),
    ("POST", "/api/v1/ingestions", "ingester"),
    ("POST", "/upload-csv", "ingester"),
    ("POST", "/nowhere", "ingester"),
    ("POST", "/restart-server", "admin"),
]


@pytest.mark.parametrize(("method", "path", "least"), REQUESTS)
def test_each_request_takes_its_role_and_those_above(guarded: Guarded, method: str, path: str, least: str) -> None:
    enough = ROLES[ROLES.index(least) :] if least else ROLES
    for role in (None, *ROLES):
        if path == "/restart-server" and role == "admin":
            continue
        answer = guarded.ask(method, path, guarded.tokens.get(role))
        if least is None or role in enough:
            assert answer.status_code not in (401, 403)
        else:
            assert answer.status_code == (403 if role else 401)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
            is_original = path.startswith(("/upload-csv", "/weekly-average-trips", "/restart-server"))
            assert set(answer.json()) == ({"error"} if is_original else {"type", "title", "status", "detail"})


@pytest.mark.parametrize("token", ["x", "tripsmith_" + "A" * 43])
def test_a_token_that_is_not_known(guarded: Guarded, token: str) -> None:
    answer = guarded.ask("GET", "/api/v1/regions", token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_first_page_is_open_and_holds_no_figures(guarded: Guarded) -> None:
    page = guarded.ask("GET", "/")
    assert page.status_code == 200
    assert "regions from" not in page.text
    assert page.text == guarded.ask("GET", "/", guarded.tokens["reader"]).text


def test_the_document_says_how_to_come_in(guarded: Guarded) -> None:
    document = guarded.ask("GET", "/api/openapi.json").json()
    assert document["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    assert {"token": []} in document["security"]


@pytest.mark.parametrize("namespace", ["/ingestions", "/my_namespace"])
@pytest.mark.parametrize("auth", [None, {"token": "wrong"}, {"token": 1}, "reader"])
def test_a_live_client_without_a_token_is_refused_and_told_why(guarded: Guarded, namespace: str, auth: object) -> None:
    client = socketio.Client(reconnection=False)
    refusals: queue.Queue[dict] = queue.Queue()
    client.on("connect_error", refusals.put, namespace=namespace)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(guarded.url, namespaces=[namespace], auth=auth)
    refused = refusals.get(timeout=10)
    assert "oken" in refused["message"]
    assert refused["data"] == {"status": 401}


def test_live_clients_with_a_token_hear_what_happens_and_are_put_out_when_it_is_revoked(guarded: Guarded) -> None:
    token = make_token(guarded.database_url, "passing", "reader")
    heard: queue.Queue[dict] = queue.Queue()
    gone: queue.Queue[str] = queue.Queue()
    by_auth, by_header = (socketio.Client(reconnection=False) for _ in range(2))
    by_auth.on("ingestion", heard.put, namespace="/ingestions")
    by_auth.on("disconnect", gone.put, namespace="/ingestions")
    by_auth.connect(guarded.url, namespaces=["/ingestions"], auth={"token": token})
    by_header.connect(
        guarded.url, namespaces=["/my_namespace"], headers={"Authorization": f"Bearer {guarded.tokens['reader']}"}
    )
    sent = guarded.ask(
        "POST", "/api/v1/ingestions", guarded.tokens["ingester"], data=trips(a_trip("Guarded")), headers=CSV
    )
    assert sent.status_code == 202
    while heard.get(timeout=60)["state"] != "succeeded":
        pass
    assert tripsmith(guarded.database_url, "token", "revoke", "passing").returncode == 0
    gone.get(timeout=60)
    assert by_header.connected
    assert guarded.ask("GET", "/api/v1/regions", token).status_code == 401
    by_header.disconnect()


def test_another_name_is_fine_and_another_page_is_not(guarded: Guarded) -> None:
    port = guarded.url.rsplit(":", 1)[1]
    token = guarded.tokens["ingester"]
    path = "/api/v1/ingestions/0/cancel"
    ours = {"Host": f"trips.example:{port}", "Origin": f"http://trips.example:{port}"}
    assert guarded.ask("POST", path, token, headers=ours).status_code == 404
    proxied = {"Host": "trips.example", "Origin": "https://trips.example"}
    assert guarded.ask("POST", path, token, headers=proxied).status_code == 404
    theirs = {"Host": f"trips.example:{port}", "Origin": "http://evil.example"}
    assert guarded.ask("POST", path, token, headers=theirs).status_code == 403


def test_tokens_on_the_command_line(guarded: Guarded) -> None:
    made = tripsmith(guarded.database_url, "token", "create", "cli", "--json")
    document = json.loads(made.stdout)
    assert (document["name"], document["role"]) == ("cli", "reader")
    assert guarded.ask("GET", "/api/v1/regions", document["token"]).status_code == 200
    again = tripsmith(guarded.database_url, "token", "create", "cli")
    assert (again.returncode, "There is a token cli already" in again.stderr) == (1, True)
    listed = tripsmith(guarded.database_url, "token", "list").stdout
    assert "cli" in listed
    assert document["token"] not in listed
    assert tripsmith(guarded.database_url, "token", "revoke", "cli").returncode == 0
    assert "There is no token cli" in tripsmith(guarded.database_url, "token", "revoke", "cli").stderr


def test_what_is_kept_does_not_open_anything(guarded: Guarded) -> None:
    dumped = tripsmith(guarded.database_url, "psql", "-c", "SELECT * FROM ops.token").stdout
    assert "reader" in dumped
    assert not any(token in dumped for token in guarded.tokens.values())


def test_on_loopback_a_token_is_asked_for_once_there_is_one(embedded_server: str) -> None:
    with (
        new_warehouse(embedded_server) as warehouse,
        a_server("--workers", "0", TRIPSMITH_DATABASE_URL=warehouse.conninfo) as server,
    ):
        assert server.get("/api/v1/regions").status_code == 200
        token = make_token(warehouse.conninfo, "first", "reader")
        while server.get("/api/v1/regions").status_code == 200:
            pass
        assert server.get("/api/v1/regions").status_code == 401
        assert server.get("/api/v1/regions", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_an_administrator_restarts(guarded: Guarded) -> None:
    assert guarded.ask("POST", "/restart-server", guarded.tokens["admin"]).json() == {"message": "Server restarting..."}
