"""The command line as a person or a script meets it: real processes, a real database."""

import gzip
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

HEADER = "region,origin_coord,destination_coord,datetime,datasource\n"
ROW = "Prague,POINT (14.5 50.0),POINT (14.4 50.1),2018-05-28 09:03:40,funny_car\n"


@pytest.fixture(scope="module")
def data_dir(reachable_dir) -> Path:
    return reachable_dir / "cli"


@pytest.fixture
def tripsmith(data_dir, tmp_path):
    def run(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [sys.executable, "-m", "tripsmith", *arguments],
            cwd=tmp_path,
            env={**os.environ, "TRIPSMITH_DATA_DIR": str(data_dir), **environment},
            input=stdin,
            capture_output=True,
        )
        return subprocess.CompletedProcess(arguments, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    return run


def test_a_file_goes_in_is_asked_for_and_comes_out(tripsmith, tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + ROW * 3 + ROW.replace("Prague", ""))
    ended = tripsmith("ingest", "a.csv", "--json")
    assert ended.returncode == 0, ended.stderr
    (ingestion,) = json.loads(ended.stdout)["ingestions"]
    assert (ingestion["state"], ingestion["rows_loaded"], ingestion["rows_rejected"]) == ("succeeded", 3, 1)

    answer = json.loads(
        tripsmith("weekly-average", "--bbox", "-14.6,49,14.6,50", "--region", "PRAGUE", "--json").stdout
    )
    assert (answer["area"]["region"], answer["trips"], answer["weekly_average"]) == ("Prague", 3, 3.0)
    assert answer["series"] == [{"week": "2018-05-28", "trips": 3}]

    rejections = tripsmith("ingestions", "rejections", ingestion["id"]).stdout
    assert "line 5: region is missing" in rejections
    assert ROW.replace("Prague", "").strip() in rejections

    assert tripsmith("ingestions", "remove", ingestion["id"]).returncode == 0
    assert json.loads(tripsmith("metrics", "--json").stdout)["trips"] == 0


def test_standard_input_and_packed_files_are_taken(tripsmith, tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((HEADER + ROW * 2).encode()))
    first = tripsmith("ingest", "a.csv.gz", "-", "--json", stdin=(HEADER + ROW * 4).encode())
    ids = [ingestion["id"] for ingestion in json.loads(first.stdout)["ingestions"]]
    assert [ingestion["rows_loaded"] for ingestion in json.loads(first.stdout)["ingestions"]] == [2, 4]
    for ingestion_id in ids:
        tripsmith("ingestions", "remove", ingestion_id)


def test_pipes_given_as_paths_are_taken_and_nothing_of_them_is_left(tripsmith, tmp_path, data_dir):
    for name in ("good", "bad"):
        os.mkfifo(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("1.csv", HEADER + ROW)
        archive.writestr("2.csv", HEADER + ROW * 2 + "x\n")
    contents = {"good": (tmp_path / "two.zip").read_bytes(), "bad": b"a,b\n1,2\n"}
    writers = [threading.Thread(target=(tmp_path / name).write_bytes, args=[data]) for name, data in contents.items()]
    for writer in writers:
        writer.start()
    ended = tripsmith("ingest", "good", "bad", "--json")
    for writer in writers:
        writer.join()
    assert ended.returncode == 1
    assert "Error: bad: The first line, 'a,b', is not the header of a known format" in ended.stderr
    (ingestion,) = json.loads(ended.stdout)["ingestions"]
    assert (ingestion["file_name"], ingestion["rows_loaded"], ingestion["rows_rejected"]) == ("good", 3, 1)
    assert list((data_dir / "uploads").glob("piped-*")) == []

    rejections = tripsmith("ingestions", "rejections", ingestion["id"])
    assert rejections.stdout.startswith("2.csv line 4: has 1 columns")
    as_json = json.loads(tripsmith("ingestions", "rejections", ingestion["id"], "--json").stdout)
    assert (as_json["file"], as_json["line"]) == ("2.csv", 4)
    tripsmith("ingestions", "remove", ingestion["id"])


def test_overlap_is_refused_by_option_and_by_setting(tripsmith, tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + ROW * 3)
    (tmp_path / "b.csv").write_text(HEADER + ROW * 4)
    (ingestion,) = json.loads(tripsmith("ingest", "a.csv", "--json").stdout)["ingestions"]
    for arguments, environment in ([["--refuse-overlap"], {}], [[], {"TRIPSMITH_REFUSE_OVERLAP": "true"}]):
        ended = tripsmith("ingest", "b.csv", *arguments, **environment)
        assert ended.returncode == 1
        assert f"are also in ingestion {ingestion['id']} (a.csv). To have this file instead, remove" in ended.stderr
    noted = tripsmith("ingest", "b.csv")
    assert noted.returncode == 0
    assert f"Note: 75 % of its rows (3 of 4) are also in ingestion {ingestion['id']} (a.csv)." in noted.stdout
    for listed in json.loads(tripsmith("ingestions", "list", "--json").stdout)["ingestions"]:
        tripsmith("ingestions", "remove", listed["id"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (HEADER.encode(), "a header and no rows"),
        (b"a,b\n1,2\n", "not the header of a known format"),
        (b"region,origin_coord,datetime,datasource\n1,2,3,4\n", "lacks destination_coord"),
        (b"\x7fELF\0\0\n\0", "binary"),
        (HEADER.encode("latin-1") + b'"Prague' + ROW.encode() * 3, "line 2 is never closed"),
        (HEADER.replace("region", "r\xe9gion").encode("latin-1") + ROW.encode(), "not UTF-8"),
    ],
    ids=["empty", "header-only", "no-format", "a-column-missing", "binary", "quote-never-closed", "not-utf-8"],
)
def test_a_file_that_cannot_be_taken_is_one_sentence_and_code_1(tripsmith, tmp_path, content, message):
    (tmp_path / "bad.csv").write_bytes(content)
    ended = tripsmith("ingest", "bad.csv")
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert json.loads(tripsmith("metrics", "--json").stdout)["trips"] == 0


def test_a_file_that_cannot_be_taken_does_not_keep_the_others_out(tripsmith, tmp_path):
    for name, content in (("one.csv", HEADER + ROW), ("bad.csv", "a,b\n1,2\n"), ("two.csv", HEADER + ROW * 2)):
        (tmp_path / name).write_text(content)
    ended = tripsmith("ingest", "one.csv", "bad.csv", "two.csv", "--json")
    assert ended.returncode == 1
    ingestions = json.loads(ended.stdout)["ingestions"]
    assert [(i["file_name"], i["state"], i["rows_loaded"]) for i in ingestions] == [
        ("one.csv", "succeeded", 1),
        ("two.csv", "succeeded", 2),
    ]
    assert "Error: bad.csv: " in ended.stderr
    newest = ingestions[1]["id"]
    pages = [json.loads(tripsmith("ingestions", "list", "--limit", n, "--json").stdout) for n in ("1", "1000")]
    assert [(len(page["ingestions"]) > 1, page["next"]) for page in pages] == [(False, newest), (True, None)]
    for ingestion in ingestions:
        assert tripsmith("ingestions", "remove", ingestion["id"]).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ingest", "missing.csv"), "does not exist"),
        (("ingest", "."), "is a directory"),
        (("ingest",), "Missing argument"),
        (("weekly-average", "--bbox", "1,2,3"), "west,south,east,north"),
        (("weekly-average", "--bbox", "1,9,3,2"), "south 9 is greater than north 2"),
        (("weekly-average", "--from", "yesterday"), "yesterday"),
        (("weekly-average", "--from", "2018-06-01", "--to", "2018-05-01"), "is after"),
        (("weekly-average", "--hours", "25"), "hours between 0 and 23"),
        (("weekly-average", "--weekdays", "0-5"), "days between 1 (Monday) and 7 (Sunday)"),
        (("weekly-average", "--area", "not.geojson"), "is not GeoJSON"),
        (("weekly-average", "--area", "crossing.geojson"), "Self-intersection"),
        (("weekly-average", "--area", "crossing.geojson", "--bbox", "0,0,1,1"), "not both"),
        (("groups", "--zoom", "99"), "between 8 and 18"),
        (("groups", "--match", "neither"), "neither"),
        (("frobnicate",), "No such command"),
    ],
)
def test_wrong_usage_is_one_sentence_and_code_2(tripsmith, tmp_path, arguments, message):
    (tmp_path / "not.geojson").write_text("POLYGON ((0 0, 1 1))")
    bow_tie = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    (tmp_path / "crossing.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [bow_tie]}))
    ended = tripsmith(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("weekly-average", "--region", "Atlantis"), "There is no region 'Atlantis'"),
        (("ingestions", "show", "999999"), "There is no ingestion 999999"),
        (("ingestions", "remove", "x"), "There is no ingestion x"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_code_1(tripsmith, arguments, message):
    ended = tripsmith(*arguments)
    assert ended.returncode == 1
    assert message in ended.stderr


def test_an_unreachable_database_is_one_sentence(tripsmith):
    ended = tripsmith("metrics", TRIPSMITH_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The database cannot be reached")
    assert len(ended.stderr.strip().splitlines()) == 1


def test_the_doctor_finds_everything_well_and_says_what_is_not(tripsmith):
    well = tripsmith("doctor", "--json")
    assert well.returncode == 0
    assert {check["name"] for check in json.loads(well.stdout)["checks"]} >= {"database", "disk"}
    unwell = tripsmith("doctor", TRIPSMITH_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert unwell.returncode == 1
    assert "BAD  database: The database cannot be reached" in unwell.stdout


def test_an_ingestion_is_followed_from_another_process_to_its_end(tripsmith, data_dir, tmp_path):
    assert tripsmith("sample", "--rows", "600000", "--seed", "9", "-o", "large.csv").returncode == 0
    environment = {**os.environ, "TRIPSMITH_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", "tripsmith", "ingest", str(tmp_path / "large.csv"), "--json"]
    ingesting = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while not (found := running(tripsmith)):
        assert ingesting.poll() is None
    followed = tripsmith("ingestions", "show", found[0]["id"], "--follow", "--json")
    (ended,) = json.loads(ingesting.communicate()[0])["ingestions"]
    assert (followed.returncode, json.loads(followed.stdout)) == (0, ended)
    assert ended["state"] == "succeeded"
    assert "large.csv: gold" in followed.stderr
    assert tripsmith("ingestions", "show", found[0]["id"], "--follow").returncode == 0
    assert tripsmith("ingestions", "remove", found[0]["id"]).returncode == 0


def running(tripsmith) -> list[dict[str, object]]:
    listed = json.loads(tripsmith("ingestions", "list", "--json").stdout)
    return [ingestion for ingestion in listed["ingestions"] if ingestion["state"] in ("queued", "running")]
