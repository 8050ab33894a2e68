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
    assert answer["series"] == [{"week": "2018-05-28", "trips": 3, "is_partial": True}]
    assert [note["code"] for note in answer["notes"]] == ["partial_weeks"]

    rejections = tripsmith("ingestions", "rejections", ingestion["id"]).stdout
    assert "line 5: region is missing" in rejections
    assert ROW.replace("Prague", "").strip() in rejections

    assert tripsmith("ingestions", "remove", ingestion["id"]).returncode == 0
    assert json.loads(tripsmith("metrics", "--json").stdout)["trips"] == 0


def test_an_average_is_printed_with_what_would_mislead(tripsmith, tmp_path):
    days = [*(f"2018-05-{day:02}" for day in range(2, 21)), "2018-06-10", "2018-06-24", "2021-06-01"]
    (tmp_path / "a.csv").write_text(HEADER + "".join(ROW.replace("2018-05-28", day) * 10 for day in days))
    (ingestion,) = json.loads(tripsmith("ingest", "a.csv", "--json").stdout)["ingestions"]
    printed = tripsmith("weekly-average", "--region", "prague").stdout
    assert printed.splitlines() == [
        "Prague: 1.4 trips a week",
        "220 trips in 162 weeks, 2018-05-02 to 2021-06-01",
        "1.0 trips a week over the 160 whole weeks (160 trips)",
        "  2018-04-30           50  #############################  (partial)",
        "  2018-05-07           70  ########################################",
        "  2018-05-14           70  ########################################",
        "  2018-05-21            0",
        "  2018-05-28            0",
        "  2018-06-04           10  ######",
        "  2018-06-11            0",
        "  2018-06-18           10  ######",
        "  …  153 weeks without trips",
        "  2021-05-31           10  ######  (partial)",
        "Note: 210 of 220 trips are in 8 of 162 weeks; --to 2018-06-24 narrows it.",
    ]
    narrowed = tripsmith("weekly-average", "--to", "2018-06-24").stdout.splitlines()
    assert narrowed[0] == "all trips: 26.2 trips a week"
    assert not any(line.startswith("Note") for line in narrowed)
    widest = tripsmith("weekly-average", "--from", "0001-01-01", "--to", "9999-12-31").stdout.splitlines()
    assert widest[0] == "all trips: 0.00042 trips a week"
    assert len(widest) < 20
    assert widest[-1].startswith("Note: The data cover 2018-05-02 to 2021-06-01; ")
    assert tripsmith("ingestions", "remove", ingestion["id"]).returncode == 0


def test_areas_are_read_from_files_as_map_tools_save_them(tripsmith, tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + ROW)
    (ingestion,) = json.loads(tripsmith("ingest", "a.csv", "--json").stdout)["ingestions"]
    ring = [[14.4, 49.9, 0.0], [14.6, 49.9, 0.0], [14.6, 50.1, 0.0], [14.4, 50.1, 0.0], [14.4, 49.9, 0.0]]
    area = {
        "type": "FeatureCollection",
        "name": "area",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "features": [
            {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}},
            {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [14.5, 50.0]}},
        ],
    }
    (tmp_path / "area.geojson").write_text(json.dumps(area), encoding="utf-8-sig")
    for arguments, stdin in (
        (("--area", "area.geojson"), b""),
        (("--area", "-"), (tmp_path / "area.geojson").read_bytes()),
    ):
        ended = tripsmith("weekly-average", *arguments, stdin=stdin)
        assert ended.stdout.startswith("polygon within 14.4,49.9,14.6,50.1 (origin): 1.0 trips a week\n"), ended.stderr
        assert "Note: 1 of 2 shapes of the area is not a polygon and was left out: feature 2 (Point)." in ended.stdout
    assert tripsmith("ingestions", "remove", ingestion["id"]).returncode == 0


def test_standard_input_that_ends_within_a_line_is_noted(tripsmith):
    ended = tripsmith("ingest", "-", stdin=(HEADER + ROW * 5).encode().removesuffix(b"\n"))
    assert "Standard input ended within a line" in ended.stdout
    (cut,) = json.loads(tripsmith("ingestions", "list", "--limit", "1", "--json").stdout)["ingestions"]
    assert ([note["code"] for note in cut["notes"]], cut["rows_loaded"]) == (["unfinished_line"], 5)
    assert tripsmith("ingestions", "remove", cut["id"]).returncode == 0
    whole = tripsmith("ingest", "-", "--json", stdin=(HEADER + ROW * 6).encode())
    (whole_ingestion,) = json.loads(whole.stdout)["ingestions"]
    assert whole_ingestion["notes"] == []
    assert tripsmith("ingestions", "remove", whole_ingestion["id"]).returncode == 0


def test_standard_input_that_is_refused_or_cannot_be_read_leaves_nothing(tripsmith, data_dir):
    assert tripsmith("ingest", "-", stdin=b"no trips\n").returncode == 1
    command = [sys.executable, "-m", "tripsmith", "ingest", "-"]
    environment = {**os.environ, "TRIPSMITH_DATA_DIR": str(data_dir)}
    with Path("/dev/null").open("wb") as write_only:
        ended = subprocess.run(command, env=environment, stdin=write_only, capture_output=True, text=True)
    assert ended.returncode == 1
    assert (
        ended.stderr == "Error: standard input: It cannot be read to its end (Bad file descriptor); nothing was kept.\n"
    )
    assert list((data_dir / "uploads").glob("stdin-*")) == []


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
    assert "Error: bad: The first line is not the header of a known format: 'a,b' (" in ended.stderr
    (ingestion,) = json.loads(ended.stdout)["ingestions"]
    assert (ingestion["file_name"], ingestion["rows_loaded"], ingestion["rows_rejected"]) == ("good", 3, 1)
    assert list((data_dir / "uploads").glob("piped-*")) == []

    rejections = tripsmith("ingestions", "rejections", ingestion["id"])
    assert rejections.stdout.startswith("2.csv line 4: has 1 column ")
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
        (HEADER.replace("region", "r\xe9gion").encode("latin-1") + ROW.encode(), "not UTF-8"),
    ],
    ids=["empty", "header-only", "no-format", "a-column-missing", "binary", "not-utf-8"],
)
def test_a_file_that_cannot_be_taken_is_one_sentence_and_code_1(tripsmith, tmp_path, content, message):
    (tmp_path / "bad.csv").write_bytes(content)
    ended = tripsmith("ingest", "bad.csv")
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert json.loads(tripsmith("metrics", "--json").stdout)["trips"] == 0


DAY_FIRST = ROW.replace("2018-05-28", "28/05/2018")


def test_a_file_of_which_nothing_is_loaded_is_code_1_with_the_reason(tripsmith, tmp_path):
    (tmp_path / "day-first.csv").write_text(HEADER + DAY_FIRST * 20)
    ended = tripsmith("ingest", "day-first.csv")
    error = (
        "Error: day-first.csv: None of its 20 rows could be loaded; most often (20 rows): datetime 28/05/2018 09:03:40"
        " is not a date and time such as 2018-05-28 09:03:40.\n"
    )
    assert (ended.returncode, ended.stderr[ended.stderr.index("Error") :]) == (1, error)
    summary, last = ended.stdout.splitlines()
    number = last.split("`")[1].split()[-1]
    assert summary == f"day-first.csv: ingestion {number} failed, 20 rows read, 0 loaded, 20 rejected"
    assert last == f"`tripsmith ingestions rejections {number}` shows the rejected rows."
    assert tripsmith("ingestions", "rejections", number).stdout.count("line ") == 20
    again = tripsmith("ingest", "day-first.csv", "--json")
    assert again.returncode == 1
    assert error in again.stderr
    assert json.loads(again.stdout)["ingestions"][0]["error"] in error
    assert tripsmith("ingestions", "remove", number).returncode == 0


def test_rejected_rows_are_in_the_last_line_and_a_limit_makes_them_code_1(tripsmith, tmp_path):
    (tmp_path / "some.csv").write_text(HEADER + ROW * 18 + ROW.replace("2018-05-28 09:03:40", "") * 2)
    refused = tripsmith("ingest", "some.csv", "--max-rejected", "9%")
    assert refused.returncode == 1
    assert "max_rejected allows 9%, and 2 of its 20 rows were rejected; most often (2 rows): " in refused.stderr
    assert tripsmith("ingest", "some.csv", TRIPSMITH_MAX_REJECTED="1").returncode == 1
    assert json.loads(tripsmith("metrics", "--json").stdout)["trips"] == 0
    allowed = tripsmith("ingest", "some.csv", "--max-rejected", "2", TRIPSMITH_MAX_REJECTED="1")
    assert allowed.returncode == 0, allowed.stderr
    last = allowed.stdout.splitlines()[-1]
    assert last.startswith("18 trips loaded, 2 rows rejected; most often (2 rows): datetime is missing. `tripsmith ")
    number = last.split("`")[1].split()[-1]
    known = tripsmith("ingest", "some.csv", "--max-rejected", "1")
    assert (known.returncode, known.stderr) == (
        1,
        f"Error: some.csv: It is in the warehouse already, as ingestion {number}, of which 2 of 20 rows were rejected;"
        " max_rejected allows 1.\n",
    )
    assert tripsmith("ingestions", "remove", number).returncode == 0


def test_a_region_beside_a_column_of_that_name_is_code_1_and_an_override_says_what_it_changed(tripsmith, tmp_path):
    (tmp_path / "own.csv").write_text(HEADER + ROW * 3)
    refused = tripsmith("ingest", "own.csv", "--region", "Brno")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "Error: own.csv: The file has a column region of its own; leave region out, or give override_region to replace"
        " it in every row.\n"
    )
    replaced = tripsmith("ingest", "own.csv", "--override-region", "Brno", "--json")
    assert replaced.returncode == 0, replaced.stderr
    (ingestion,) = json.loads(replaced.stdout)["ingestions"]
    assert [(note["code"], note["rows"]) for note in ingestion["notes"]] == [("override_region", 3)]
    shown = tripsmith("ingestions", "show", ingestion["id"]).stdout
    assert "Note: The region of 3 rows was replaced by Brno, as override_region asks." in shown
    assert tripsmith("ingestions", "remove", ingestion["id"]).returncode == 0


def test_what_a_terminal_would_obey_is_shown_escaped(tripsmith, tmp_path):
    name = "evil\x1b]0;pwned\x07.csv"
    (tmp_path / name).write_text(HEADER + ROW + ROW.replace("Prague", '"\x1b[2J\n\u202e"').replace("14.5", "x\x1b"))
    ended = tripsmith("ingest", name)
    number = ended.stdout.split("ingestion ")[1].split()[0]
    refused = tripsmith("ingest", name, "--region", "Brno")
    (tmp_path / f"bad {name}").write_text(HEADER + "no trip\n")
    failed = tripsmith("ingest", f"bad {name}")
    average = tripsmith("weekly-average")
    assert r"failed and its trips are not counted: bad evil\x1b]0;pwned\x07.csv." in average.stdout
    printed = [
        ended,
        refused,
        failed,
        average,
        *(tripsmith("ingestions", *rest) for rest in (("list",), ("show", number), ("rejections", number))),
    ]
    for command in printed:
        assert not {"\x1b", "\x07", "\u202e"} & set(command.stdout + command.stderr), command.args
    assert r"evil\x1b]0;pwned\x07.csv" in ended.stdout
    assert r"origin_coord POINT (x\x1b 50.0) is not a point" in printed[-1].stdout
    assert r'"\x1b[2J\n\u202e",POINT' in printed[-1].stdout
    as_json = tripsmith("ingestions", "rejections", number, "--json").stdout
    assert json.loads(as_json)["record"].startswith('"\x1b[2J\n\u202e",POINT')
    for ingestion in (number, failed.stdout.split("ingestion ")[1].split()[0]):
        assert tripsmith("ingestions", "remove", ingestion).returncode == 0


@pytest.mark.parametrize("value", ["x", "101%", ""])
def test_a_limit_that_is_none_is_code_2(tripsmith, tmp_path, value):
    (tmp_path / "some.csv").write_text(HEADER + ROW)
    assert tripsmith("ingest", "some.csv", "--max-rejected", value).returncode == 2
    if value:
        set_wrong = tripsmith("ingest", "some.csv", TRIPSMITH_MAX_REJECTED=value)
        assert set_wrong.returncode == 2
        assert f"TRIPSMITH_MAX_REJECTED is '{value}'" in set_wrong.stderr
        assert len(set_wrong.stderr.splitlines()) == 1


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
        (("weekly-average", "--bbox", "14.6,50,14.4,50.1"), "the box between them write 14.4,50,14.6,50.1"),
        (("weekly-average", "--from", "yesterday"), "yesterday"),
        (("weekly-average", "--to", "0"), "'0' does not match"),
        (("weekly-average", "--region", "x" * 401), "401 characters"),
        (("weekly-average", "--from", "2018-06-01", "--to", "2018-05-01"), "is after"),
        (("weekly-average", "--hours", "25"), "hours between 0 and 23"),
        (("weekly-average", "--weekdays", "0-5"), "days between 1 (Monday) and 7 (Sunday)"),
        (("weekly-average", "--area", "not.geojson"), "is not GeoJSON"),
        (("weekly-average", "--area", "crossing.geojson"), "Self-intersection"),
        (("weekly-average", "--area", "crossing.geojson", "--bbox", "0,0,1,1"), "not both"),
        (("groups", "--zoom", "99"), "between 8 and 18"),
        (("groups", "--match", "neither"), "neither"),
        (("groups", "--hour", "7", "--hours", "8-9"), "not both"),
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


def test_what_is_refused_by_its_header_makes_no_database(tripsmith, tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "own.csv").write_text(HEADER + ROW)
    data_dir = tmp_path / "data"
    for arguments, error in (
        (["bad.csv"], "Error: bad.csv: The first line is not the header of a known format: 'a,b' ("),
        (["own.csv", "--region", "Brno"], "Error: own.csv: The file has a column region of its own; "),
    ):
        refused = tripsmith("ingest", *arguments, TRIPSMITH_DATA_DIR=str(data_dir))
        assert refused.returncode == 1
        assert refused.stderr.startswith(error)
    assert tripsmith("ingest", "missing.csv", TRIPSMITH_DATA_DIR=str(data_dir)).returncode == 2
    assert not data_dir.exists()


def test_the_list_of_commands_has_whole_sentences(tripsmith):
    for arguments, sentence in (
        ([], "Build the area index for newly ingested trips; `serve`, `watch` and `worker` do this by themselves."),
        (["ingestions"], "Queue a failed or cancelled ingestion again, for the worker to take."),
        (["token"], "Revoke a token; running servers refuse it within seconds and disconnect its users."),
    ):
        commands = " ".join(tripsmith(*arguments, "--help").stdout.split("Commands:")[1].split())
        assert sentence in commands
        assert "..." not in commands
