"""Uploads cut off after every byte, and left silent: what is not whole never becomes an ingestion."""

import base64
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_live_server import HEADER, Server, a_server

SILENT_SECONDS = 2
ROWS = 2
VERSION = {"Tus-Resumable": "1.0.0"}
BYTES = VERSION | {"Content-Type": "application/offset+octet-stream"}
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}

Cut = Callable[[bytes], tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server(TRIPSMITH_SILENT_SECONDS=str(SILENT_SECONDS), TRIPSMITH_WORKERS="0") as running:
        yield running


def until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} within {seconds:g} s"
        time.sleep(0.05)


def a_file(minute: int) -> bytes:
    """A file of two short rows, with content of its own, whose every prefix that ends in a row would load."""
    return (HEADER + f"A,POINT (1 2),POINT (3 4),2018-05-01 10:{minute:02},b\n" * ROWS).encode()


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def form(content: bytes) -> bytes:
    start = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="cut.csv"\r\n\r\n'
    return start + content + b"\r\n--edge--\r\n"


def chunks(content: bytes) -> bytes:
    half = len(content) // 2
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (content[:half], content[half:]))
    return parts + b"0\r\n\r\n"


def plain(content: bytes) -> tuple[bytes, bytes]:
    return head(
        "POST", "/api/v1/ingestions", {"Content-Type": "text/csv", "Content-Length": f"{len(content)}"}
    ), content


def chunked(content: bytes) -> tuple[bytes, bytes]:
    headers = {"Content-Type": "text/csv", "Transfer-Encoding": "chunked"}
    return head("POST", "/api/v1/ingestions", headers), chunks(content)


def multipart(content: bytes) -> tuple[bytes, bytes]:
    body = form(content)
    return head("POST", "/api/v1/ingestions", FORM | {"Content-Length": f"{len(body)}"}), body


def multipart_chunked(content: bytes) -> tuple[bytes, bytes]:
    return head("POST", "/api/v1/ingestions", FORM | {"Transfer-Encoding": "chunked"}), chunks(form(content))


def multipart_of_that_length(content: bytes) -> tuple[bytes, bytes]:
    """A form whose Content-Length is right and whose closing boundary is missing."""
    body = form(content).removesuffix(b"--\r\n")
    return head("POST", "/api/v1/ingestions", FORM | {"Content-Length": f"{len(body)}"}), body


def original(content: bytes) -> tuple[bytes, bytes]:
    body = form(content)
    return head("POST", "/upload-csv", FORM | {"Content-Length": f"{len(body)}"}), body


def created_with_bytes(content: bytes) -> tuple[bytes, bytes]:
    headers = BYTES | {"Upload-Length": f"{len(content)}", "Content-Length": f"{len(content)}"}
    return head("POST", "/api/v1/uploads", headers), content


def exchange(server: Server, data: bytes, *, end: bool = True) -> bytes:
    """Send bytes, end our side of the connection or fall silent, and return all that comes back until it is closed."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while block := connection.recv(65536):
            answer += block
        return answer


def status(answer: bytes) -> int | None:
    found = re.match(rb"HTTP/1.1 (\d+)", answer)
    return int(found[1]) if found else None


def ingestions(server: Server) -> list[dict]:
    return server.get("/api/v1/ingestions?limit=1000").json()["ingestions"]


def left(server: Server) -> list[Path]:
    return [path for path in (server.data_dir / "uploads").glob("*") if path.is_file()]


@pytest.mark.parametrize("kind", [plain, chunked, multipart, multipart_chunked, original])
def test_a_body_that_is_cut_after_any_byte_is_no_ingestion(server: Server, kind: Cut) -> None:
    before, kept = ingestions(server), left(server)
    start, body = kind(a_file(1))
    # A form is whole with its closing boundary, whatever of the last line break is missing; its length says otherwise.
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda size: exchange(server, start + body[:size]), range(len(body))))
    assert {status(answer) for answer in answers} <= {400, 500, None}
    assert ingestions(server) == before
    assert left(server) == kept


def test_a_whole_body_is_an_ingestion_in_every_kind(server: Server) -> None:
    for minute, kind in enumerate((plain, chunked, multipart, multipart_chunked, created_with_bytes), start=10):
        before = len(ingestions(server))
        start, body = kind(a_file(minute))
        assert status(exchange(server, start + body)) in (201, 202)
        found = ingestions(server)
        assert (len(found), found[0]["bytes_total"]) == (before + 1, len(a_file(minute)))


def test_a_form_without_its_closing_boundary_is_refused(server: Server) -> None:
    before = ingestions(server)
    answer = exchange(server, b"".join(multipart_of_that_length(a_file(2))))
    assert status(answer) == 400
    assert b"closing boundary" in answer
    assert ingestions(server) == before


def test_a_resumable_upload_that_is_cut_after_any_byte_goes_on_to_be_whole(server: Server) -> None:
    content = a_file(3)
    metadata = f"filename {base64.b64encode(b'cut.csv').decode()}"
    headers = VERSION | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    url = server.url + server.post("/api/v1/uploads", headers=headers).headers["Location"]
    before = ingestions(server)
    for size in range(len(content)):
        at = int(server.session.head(url, headers=VERSION).headers["Upload-Offset"])
        assert at <= size
        sent = BYTES | {"Upload-Offset": str(at), "Content-Length": str(len(content) - at)}
        exchange(server, head("PATCH", urlsplit(url).path, sent) + content[at:size])
        assert ingestions(server) == before
    shown = server.session.head(url, headers=VERSION).headers
    assert (shown["Upload-Metadata"], shown["Upload-Length"]) == (metadata, str(len(content)))
    at = int(shown["Upload-Offset"])
    assert at == len(content) - 1
    done = server.session.patch(url, headers=BYTES | {"Upload-Offset": str(at)}, data=content[at:])
    assert done.status_code == 204
    assert ingestions(server)[0]["bytes_total"] == len(content)


def test_a_creation_that_is_cut_after_any_byte_is_no_ingestion(server: Server) -> None:
    before = ingestions(server)
    start, body = created_with_bytes(a_file(4))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda size: exchange(server, start + body[:size]), range(len(body))))
    for size, answer in enumerate(answers):
        assert b"Upload-Offset: %d\r\n" % size in answer
    assert ingestions(server) == before


@pytest.mark.parametrize("kind", [plain, chunked, multipart, multipart_chunked, original])
def test_a_body_that_falls_silent_is_refused(server: Server, kind: Cut) -> None:
    before, kept = ingestions(server), left(server)
    start, body = kind(a_file(5))
    answer = exchange(server, start + body[:-3], end=False)
    assert status(answer) == 408
    assert f"came for {SILENT_SECONDS} seconds".encode() in answer
    assert ingestions(server) == before
    until(lambda: left(server) == kept, "what came was to be deleted")


def test_a_question_that_falls_silent_is_refused(server: Server) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "20"}
    assert status(exchange(server, head("POST", "/api/v1/weekly-average", headers) + b'{"region"', end=False)) == 408


def test_a_producer_that_pauses_for_less_is_whole(server: Server) -> None:
    start, body = chunked(a_file(6))
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        for part in (start, body[:40], body[40:90], body[90:]):
            connection.sendall(part)
            time.sleep(SILENT_SECONDS / 4)
        assert status(connection.recv(65536)) == 202
    assert ingestions(server)[0]["bytes_total"] == len(a_file(6))


def test_a_resumable_upload_that_falls_silent_says_what_it_has(server: Server) -> None:
    content = a_file(7)
    created = server.post("/api/v1/uploads", headers=VERSION | {"Upload-Length": str(len(content))})
    path = created.headers["Location"]
    headers = BYTES | {"Upload-Offset": "0", "Content-Length": str(len(content))}
    answer = exchange(server, head("PATCH", path, headers) + content[:50], end=False)
    assert status(answer) == 204
    assert b"Upload-Offset: 50\r\n" in answer
    done = server.session.patch(server.url + path, headers=BYTES | {"Upload-Offset": "50"}, data=content[50:])
    assert done.headers["Tripsmith-Ingestion"] == ingestions(server)[0]["id"]
