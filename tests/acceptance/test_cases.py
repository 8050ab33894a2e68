"""Files that went wrong with other tools, by every way in: the command line, HTTP, tus and a watched folder."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from test_live_server import Server, a_server

NAMES = ["region", "origin_coord", "destination_coord", "datetime", "datasource"]
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Trips:
    """Makes trips that no other case and no other way in has: the same content twice would be known."""

    seed: int

    def rows(self, count: int, region: str = "Lyon", source: str = "velov", day: str = "2019-05-06") -> list[list[str]]:
        return [
            [
                region,
                f"POINT (4.8{self.seed:03} 45.7{number:04})",
                f"POINT (4.8{number:04} 45.7{self.seed:03})",
                f"{day} {number // 60 % 24:02}:{number % 60:02}:{self.seed % 60:02}",
                source,
            ]
            for number in range(count)
        ]

    def csv(self, rows: list[list[str]], delimiter: str = ",", header: list[str] = NAMES) -> bytes:
        return "".join(delimiter.join(row) + "\n" for row in [header, *rows]).encode()


@dataclass
class Case:
    """A file: what makes it, and what is to become of it. `notes` are codes, `reasons` parts of reasons by line."""

    name: str
    make: Callable[[Trips], bytes]
    loaded: int
    rejected: int = 0
    notes: set[str] = field(default_factory=set)
    error: str = ""
    refused: str = ""
    options: dict[str, str] = field(default_factory=dict)


def _inch_marks(trips: Trips) -> bytes:
    rows = trips.rows(2000)
    rows[100][4], rows[1600][4] = 'rack 27" wide', 'shelf 12" high'
    return trips.csv(rows)


def _quoted_words(trips: Trips) -> bytes:
    return trips.csv(trips.rows(20, region='Lyon "Centre"', source='5" x 7" board'))


def _blanks_before_quotes(trips: Trips) -> bytes:
    return b"".join(b'"' + line.replace(b",", b'", "') + b'"\n' for line in trips.csv(trips.rows(20)).splitlines())


def _year_2091(trips: Trips) -> bytes:
    return trips.csv(trips.rows(30) + trips.rows(1, day="2091-01-01"))


def _utc(trips: Trips) -> bytes:
    rows = trips.rows(20)
    for row in rows:
        row[3] = row[3].replace(" ", "T") + "Z"
    return trips.csv(rows)


def _nulls(trips: Trips) -> bytes:
    rows = trips.rows(7)
    for row, name in zip(rows, ("NULL", "\\N", "nan", "None", "N/A", "NA"), strict=False):
        row[0] = name
    return trips.csv(rows)


def _zip(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def _tar(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return packed.getvalue()


def _months(trips: Trips) -> list[tuple[str, bytes]]:
    january, february = trips.rows(40, day="2019-01-07"), trips.rows(30, day="2019-02-04")
    return [("2019-01.csv", trips.csv(january)), ("2019-02.csv", trips.csv(february))]


CASES = [
    Case(
        "empty fields beyond the header",
        lambda trips: trips.csv([[*row, "", ""] for row in trips.rows(50)]),
        50,
        notes={"extra_fields"},
    ),
    Case("inch marks", _inch_marks, 2000),
    Case("quoted words", _quoted_words, 20),
    Case("blanks before quotes", _blanks_before_quotes, 20),
    Case(
        "a newline in a name",
        lambda trips: trips.csv([[*row, "600"] for row in trips.rows(20)], header=[*NAMES, '"duration\n(seconds)"']),
        20,
    ),
    Case("a quote never closed", lambda trips: trips.csv([['"Lyon', *trips.rows(1)[0][1:]], *trips.rows(20)]), 20, 1),
    Case(
        "decimal commas",
        lambda trips: trips.csv(
            [[r, *(f'"{p}"'.replace(".", ",") for p in (o, d)), t, s] for r, o, d, t, s in trips.rows(20)], ";"
        ),
        0,
        20,
        error="None of",
    ),
    Case("vertical bars", lambda trips: trips.csv(trips.rows(20), "|"), 20),
    Case("a separator line", lambda trips: b"sep=;\n" + trips.csv(trips.rows(20), ";"), 20),
    Case("another century", _year_2091, 31, notes={"after_tomorrow"}),
    Case("times in UTC", _utc, 20, notes={"states_utc"}),
    Case("words for missing values", _nulls, 2, 5),
    Case(
        "day first",
        lambda trips: trips.csv([[r, o, d, "28/05/2018 09:03", s] for r, o, d, _, s in trips.rows(20)]),
        0,
        20,
        error="None of",
    ),
    Case(
        "a region beside a region column",
        lambda trips: trips.csv(trips.rows(20)),
        0,
        refused="region",
        options={"region": "San Francisco"},
    ),
    Case(
        "a region replaced on purpose",
        lambda trips: trips.csv(trips.rows(20)),
        20,
        notes={"override_region"},
        options={"override_region": "San Francisco"},
    ),
    Case("gzip", lambda trips: gzip.compress(trips.csv(trips.rows(20))), 20),
    Case("bzip2", lambda trips: bz2.compress(trips.csv(trips.rows(20))), 20),
    Case("xz", lambda trips: lzma.compress(trips.csv(trips.rows(20))), 20),
    Case("a tar of months", lambda trips: _tar(*_months(trips)), 70),
    Case("a zip of months", lambda trips: _zip(*_months(trips)), 70),
    Case(
        "the same member twice",
        lambda trips: _zip(("a/01.csv", _months(trips)[0][1]), *_months(trips), ("__MACOSX/._01.csv", b"\0\5")),
        70,
        notes={"duplicate_member"},
    ),
    Case(
        "a header in capitals",
        lambda trips: _zip(_months(trips)[0], ("2019-02.csv", _months(trips)[1][1].replace(b"region", b"Region", 1))),
        70,
    ),
]  # fmt: skip

Way = Callable[[Case, bytes], dict[str, object]]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inbox")


@pytest.fixture(scope="module")
def server(inbox: Path) -> Iterator[Server]:
    with a_server(TRIPSMITH_WATCH_DIR=str(inbox)) as running:
        yield running


def ended(server: Server, ingestion_id: str) -> dict[str, object]:
    """Wait for an ingestion to end, however it does; return it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = server.get(f"/api/v1/ingestions/{ingestion_id}").json()
        if found["state"] not in ("queued", "running"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"ingestion {ingestion_id} has not ended within two minutes: {found}")


def by_command(server: Server, case: Case, content: bytes, folder: Path) -> dict[str, object]:
    path = folder / "trips.csv"
    path.write_bytes(content)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in case.options.items()]
    done = subprocess.run(
        [sys.executable, "-m", "tripsmith", "ingest", str(path), "--json", *options],
        env=os.environ | {"TRIPSMITH_DATA_DIR": str(server.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)["ingestions"]
    assert (done.returncode == 0) == bool(document and document[0]["state"] == "succeeded"), done.stderr
    return document[0] if document else {"refused": done.stderr}


def by_http(server: Server, case: Case, content: bytes, folder: Path) -> dict[str, object]:
    answer = server.post("/api/v1/ingestions", params=case.options, files={"file": ("trips.csv", content)})
    return _answered(server, answer, answer.status_code == 202 and answer.json()["id"])


def by_tus(server: Server, case: Case, content: bytes, folder: Path) -> dict[str, object]:
    pairs = {"filename": "trips.csv", **case.options}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    headers = TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    answer = server.post(
        "/api/v1/uploads", data=content, headers=headers | {"Content-Type": "application/offset+octet-stream"}
    )
    return _answered(server, answer, answer.headers.get("Tripsmith-Ingestion"))


def _answered(server: Server, answer: requests.Response, ingestion_id: object) -> dict[str, object]:
    return ended(server, str(ingestion_id)) if ingestion_id else {"refused": answer.json()["detail"]}


def by_folder(server: Server, inbox: Path, case: Case, content: bytes) -> dict[str, object]:
    name = f"{case.name.replace(' ', '-')}.csv"
    (inbox / f".{name}").write_bytes(content)
    (inbox / f".{name}").rename(inbox / name)
    done, failed = inbox / "done" / name, inbox / "failed" / name
    deadline = time.monotonic() + 120
    while not (done.exists() or failed.with_name(name + ".reasons.txt").exists()):
        assert time.monotonic() < deadline, f"{name} has been neither done nor failed within two minutes"
        time.sleep(0.1)
    reasons = "" if done.exists() else failed.with_name(name + ".reasons.txt").read_text()
    listed = server.get("/api/v1/ingestions?limit=1000").json()["ingestions"]
    found = next((ingestion for ingestion in listed if ingestion["file_name"] == name), {"refused": reasons})
    assert done.exists() == (found.get("state") == "succeeded"), reasons
    return found


@pytest.mark.parametrize("way", ["command", "http", "tus", "folder"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_case_ends_as_it_should(server: Server, inbox: Path, tmp_path: Path, case: Case, way: str) -> None:
    ways = ["command", "http", "tus", "folder"]
    content = case.make(Trips(CASES.index(case) * len(ways) + ways.index(way) + 1))
    if way == "folder" and case.options:
        pytest.skip("the watched folder of a server has no options for a single file")
    if way == "folder":
        found = by_folder(server, inbox, case, content)
    else:
        found = {"command": by_command, "http": by_http, "tus": by_tus}[way](server, case, content, tmp_path)
    if case.refused:
        assert case.refused in str(found["refused"])
        return
    assert "refused" not in found, found
    assert found["state"] == ("failed" if case.error else "succeeded"), found
    assert (found["rows_loaded"], found["rows_rejected"]) == (case.loaded, case.rejected), found
    assert case.error in str(found["error"] or "")
    assert {note["code"] for note in found["notes"]} == case.notes, found["notes"]  # type: ignore[attr-defined]


def test_names_are_one_however_they_are_composed(server: Server) -> None:
    for number, name in enumerate(("Zu\u0308rich", "Z\u00fcrich", "Z\u00fcri\u200bch", "\ufeffZU\u0308RICH\u00a0")):
        trips = Trips(900 + number)
        content = trips.csv(trips.rows(40, region=name, source=f"Publibike {name}"))
        answer = server.post("/api/v1/ingestions", files={"file": ("trips.csv", content)})
        assert ended(server, answer.json()["id"])["rows_loaded"] == 40
    named = [r for r in server.get("/api/v1/regions").json()["regions"] if r["name"].startswith("Z")]
    assert [(region["name"], region["trips"]) for region in named] == [("Z\u00fcrich", 160)]
    asked = server.get("/api/v1/weekly-average", params={"region": "zu\u0308rich"}).json()
    assert asked["trips"] == 160


def test_the_same_trips_are_known_however_they_are_packed(server: Server) -> None:
    trips = Trips(950)
    plain = trips.csv(trips.rows(40))
    ids = []
    for content in (gzip.compress(plain), plain, lzma.compress(plain), _zip(("a.csv", plain)), bz2.compress(plain)):
        answer = server.post("/api/v1/ingestions", files={"file": ("trips.csv", content)})
        ids.append((answer.status_code, ended(server, answer.json()["id"])["id"]))
    assert ids == [(202, ids[0][1]), *[(200, ids[0][1])] * 4]


def test_a_rejection_in_an_archive_names_the_member_and_its_own_line(server: Server) -> None:
    trips = Trips(960)
    bad = trips.rows(10, day="2019-03-04")
    bad[6][3] = "soon"
    content = _zip(*_months(trips), ("2019-03.csv", trips.csv(bad)))
    answer = server.post("/api/v1/ingestions", files={"file": ("months.zip", content)})
    found = ended(server, answer.json()["id"])
    assert (found["rows_loaded"], found["rows_rejected"]) == (79, 1)
    rejected = server.get(f"/api/v1/ingestions/{found['id']}/rejections").text.splitlines()
    assert rejected[0] == "line,reasons,record,file"
    assert (rejected[1].split(",")[0], rejected[1].rsplit(",", 1)[1].strip('"')) == ("8", "2019-03.csv")
