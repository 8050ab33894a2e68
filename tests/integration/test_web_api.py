"""The HTTP API against a real database; how a server carries it is for the acceptance tests."""

import csv
import gzip
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel

from tripsmith.ingestion.run import run_ingestion
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.web.api import documents
from tripsmith.web.application import create_app
from tripsmith.web.problems import Problem

MAX_UPLOAD = 200_000
HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
CSV = {"Content-Type": "text/csv"}


@dataclass
class Api:
    """The application, its database and where its uploads lie."""

    client: FlaskClient
    warehouse: Warehouse
    settings: Settings

    def send(self, content: bytes, query: str = "") -> Any:
        return self.client.post(f"/api/v1/ingestions{query}", data=content, headers=CSV)

    def ingest(self, content: bytes, query: str = "") -> str:
        sent = self.send(content, query)
        assert sent.status_code == 202, sent.text
        run_ingestion(self.warehouse, int(sent.json["id"]))
        return sent.json["id"]

    def get(self, path: str, model: type[BaseModel]) -> dict[str, Any]:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        model.model_validate_json(answer.data)
        return answer.json

    def uploads(self) -> list[Path]:
        return list(self.settings.uploads_dir.glob("*"))


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-", dir="/tmp"))
    folder.chmod(0o755)
    settings = Settings(data_dir=folder / "data", max_upload_bytes=MAX_UPLOAD)
    with open_warehouse(settings) as warehouse:
        app, _ = create_app(settings, warehouse)
        yield Api(app.test_client(), warehouse, settings)
    shutil.rmtree(folder)


def row(region: str, day: str = "2018-05-01", source: str = "cheap_mobile") -> bytes:
    return f"{region},POINT (14.5 50.05),POINT (14.41 50.09),{day} 10:00:00,{source}\n".encode()


def assert_problem(answer: Any, status: int, parameter: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem = Problem.model_validate_json(answer.data)
    assert problem.status == status
    assert problem.detail
    assert "Traceback" not in problem.detail
    assert problem.parameter == parameter


def test_a_file_is_queued_then_seen_then_known(api: Api) -> None:
    content = HEADER + row("Known")
    sent = api.client.post("/api/v1/ingestions", data={"file": (io.BytesIO(content), "data/known.csv")})
    assert sent.status_code == 202
    assert sent.json["file_name"] == "known.csv"
    assert sent.json["state"] == "queued"
    run_ingestion(api.warehouse, int(sent.json["id"]))
    shown = api.get(sent.headers["Location"], documents.Ingestion)
    assert (shown["state"], shown["rows_read"], shown["rows_loaded"]) == ("succeeded", 1, 1)
    again = api.send(content, "?name=other.csv")
    assert (again.status_code, again.json) == (200, shown)
    assert api.client.post("/api/v1/ingestions?override_region=X", data=content, headers=CSV).status_code == 409
    assert api.uploads() == []


def test_a_body_is_a_file_too(api: Api) -> None:
    sent = api.ingest(HEADER + row("Body"), "?name=../../etc/b%0Aody.csv")
    assert api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)["file_name"] == "b ody.csv"


def test_ingestions_are_listed_page_by_page(api: Api) -> None:
    sent = [api.ingest(HEADER + row(f"Page {number}")) for number in range(3)]
    first = api.get("/api/v1/ingestions?limit=2", documents.IngestionPage)
    second = api.get(f"/api/v1/ingestions?limit=2&cursor={first['next']}", documents.IngestionPage)
    assert [ingestion["id"] for ingestion in first["ingestions"]] == sent[:0:-1]
    assert second["ingestions"][0]["id"] == sent[0]
    everything = api.get("/api/v1/ingestions", documents.IngestionPage)
    assert everything["next"] is None


def test_rejected_rows_come_out_as_they_went_in(api: Api) -> None:
    broken = b'"Pra""gue",POINT (14.5 50.05),nowhere,2018-05-01 10:00:00,cheap_mobile'
    sent = api.ingest(HEADER + row("Rejecting") + broken + b"\n")
    answer = api.client.get(f"/api/v1/ingestions/{sent}/rejections")
    assert answer.mimetype == "text/csv"
    header, line = answer.data.rstrip(b"\r\n").split(b"\r\n")
    assert header == b"line,reasons,record,file"
    assert line.startswith(b'3,"')
    assert line.endswith(b',"' + broken.replace(b'"', b'""') + b'",""')


def test_rejected_rows_of_an_archive_name_the_member_and_its_line(api: Api) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", HEADER + row("Archived") * 3)
        archive.writestr('a "b", c.csv', HEADER + row("Archived") + b"x\n")
    sent = api.ingest(packed.getvalue())
    answer = csv.DictReader(api.client.get(f"/api/v1/ingestions/{sent}/rejections").text.splitlines())
    assert [(line["file"], line["line"], line["record"]) for line in answer] == [('a "b", c.csv', "3", "x")]


def test_overlap_is_noted_or_refused(api: Api) -> None:
    rows = b"".join(row(f"Shared {number}") for number in range(10))
    first = api.ingest(HEADER + rows)
    noted = api.ingest(HEADER + rows + row("Another"))
    (note,) = api.get(f"/api/v1/ingestions/{noted}", documents.Ingestion)["notes"]
    assert note["code"] == "overlap"
    assert first != noted
    sent = api.send(HEADER + rows + row("A third"), "?refuse_overlap=true").json["id"]
    assert run_ingestion(api.warehouse, int(sent)).state == "failed"
    api.client.delete(f"/api/v1/ingestions/{sent}")
    assert_problem(api.send(HEADER + rows, "?refuse_overlap=perhaps"), 400, "refuse_overlap")


def test_an_ingestion_is_cancelled_retried_and_removed(api: Api) -> None:
    sent = api.send(HEADER + row("Fickle")).json["id"]
    assert api.client.post(f"/api/v1/ingestions/{sent}/cancel").json["state"] == "cancelled"
    retried = api.client.post(f"/api/v1/ingestions/{sent}/retry")
    assert (retried.status_code, retried.json["state"]) == (202, "queued")
    run_ingestion(api.warehouse, int(sent))
    assert_problem(api.client.post(f"/api/v1/ingestions/{sent}/retry"), 409)
    assert api.client.delete(f"/api/v1/ingestions/{sent}").json["state"] == "removed"
    assert_problem(api.client.delete(f"/api/v1/ingestions/{sent}"), 409)
    assert_problem(api.client.get("/api/v1/weekly-average?region=Fickle"), 404, "region")


def test_a_file_sent_again_after_it_was_cancelled_is_kept_once(api: Api) -> None:
    content = HEADER + row("Twice sent")
    sent = api.send(content).json["id"]
    api.client.post(f"/api/v1/ingestions/{sent}/cancel")
    again = api.send(content)
    assert (again.status_code, again.json["id"], len(api.uploads())) == (202, sent, 1)
    assert api.send(content).status_code == 200  # it is queued, and has its file
    assert len(api.uploads()) == 1
    run_ingestion(api.warehouse, int(sent))
    assert api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)["state"] == "succeeded"
    assert api.uploads() == []


def test_answers_are_the_documents_that_are_described(api: Api) -> None:
    api.ingest(HEADER + row("Answers") + row("Answers", "2018-05-15", "fancy_car"))
    weekly = api.get("/api/v1/weekly-average?region=answers", documents.WeeklyAverage)
    assert (weekly["trips"], weekly["weeks"], weekly["weekly_average"]) == (2, 3, 2 / 3)
    assert weekly["series"][1] == {"week": "2018-05-07", "trips": 0, "is_partial": False}
    assert weekly["whole_weeks"] == {"weeks": 1, "trips": 0, "weekly_average": 0}
    ranged = api.get("/api/v1/weekly-average?region=answers&from=2018-05-15&to=2018-05-15", documents.WeeklyAverage)
    assert (ranged["trips"], ranged["from"], ranged["weeks"]) == (1, "2018-05-15", 1)
    boxed = api.get(
        "/api/v1/weekly-average?region=answers&bbox=14.4,50.08,14.42,50.1&match=destination", documents.WeeklyAverage
    )
    assert (boxed["trips"], boxed["match"]) == (2, "destination")
    empty = api.get("/api/v1/weekly-average?region=answers&bbox=0,0,0,0", documents.WeeklyAverage)
    assert (empty["trips"], empty["weekly_average"], empty["weeks"], len(empty["series"])) == (0, 0, 3, 3)
    groups = api.get("/api/v1/groups?region=answers&zoom=12&hour=10", documents.TripGroupPage)
    assert [group["trips"] for group in groups["groups"]] == [2]
    regions = api.get("/api/v1/regions", documents.RegionList)["regions"]
    assert ("Answers", 2, "fancy_car") in [(r["name"], r["trips"], r["latest_datasource"]) for r in regions]
    sources = api.get("/api/v1/datasources", documents.DatasourceList)["datasources"]
    assert "fancy_car" in [source["name"] for source in sources]
    metrics = api.get("/api/v1/metrics/trips", documents.TripMetrics)
    assert metrics["trips"] == sum(region["trips"] for region in regions)


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("/nowhere", 404, None),
        ("/api/v1/ingestions/0", 404, "id"),
        ("/api/v1/ingestions/abc", 404, "id"),
        ("/api/v1/ingestions/99999999999999999999", 404, "id"),
        ("/api/v1/ingestions/0/rejections", 404, "id"),
        ("/api/v1/ingestions?limit=0", 400, "limit"),
        ("/api/v1/ingestions?limit=many", 400, "limit"),
        ("/api/v1/ingestions?cursor=-1", 400, "cursor"),
        ("/api/v1/weekly-average?region=nowhere", 404, "region"),
        ("/api/v1/weekly-average?bbox=1,2,3", 400, "bbox"),
        ("/api/v1/weekly-average?bbox=", 400, "bbox"),
        ("/api/v1/weekly-average?bbox=0,91,1,92", 400, "bbox"),
        ("/api/v1/weekly-average?bbox=nan,0,1,1", 400, "bbox"),
        ("/api/v1/weekly-average?match=middle", 400, "match"),
        ("/api/v1/weekly-average?from=2018", 400, "from"),
        ("/api/v1/weekly-average?from=20180501", 400, "from"),
        ("/api/v1/weekly-average?from=2018-W18-1", 400, "from"),
        ("/api/v1/weekly-average?to=0", 400, "to"),
        ("/api/v1/weekly-average?to=", 400, "to"),
        ("/api/v1/weekly-average?bbox=14.6,50,14.4,50.1", 400, "bbox"),
        ("/api/v1/weekly-average?region=" + "x" * 401, 400, "region"),
        ("/api/v1/weekly-average?datasource=" + "x" * 401, 400, "datasource"),
        ("/api/v1/weekly-average?region=%00", 400, "region"),
        ("/api/v1/weekly-average?region=a&region=b", 400, "region"),
        ("/api/v1/metrics/trips?region=a&region=b", 400, "region"),
        ("/api/v1/cells?bbox=14.6,50,14.4,50.1", 400, "bbox"),
        ("/api/v1/groups?origin_bbox=14.6,50,14.4,50.1", 400, "origin_bbox"),
        ("/api/v1/weekly-average?to=2018-02-30", 400, "to"),
        ("/api/v1/weekly-average?from=2018-02-02&to=2018-02-01", 400, "from"),
        ("/api/v1/weekly-average?regoin=Prague", 400, "regoin"),
        ("/api/v1/weekly-average?datasource=nowhere", 404, "datasource"),
        ("/api/v1/weekly-average?hours=7-24", 400, "hours"),
        ("/api/v1/weekly-average?hours=", 400, "hours"),
        ("/api/v1/weekly-average?weekdays=Mon", 400, "weekdays"),
        ("/api/v1/weekly-average?area=x", 400, "area"),
        ("/api/v1/cells?zoom=3", 400, "bbox"),
        ("/api/v1/cells?zoom=17&bbox=0,0,1,1", 400, "zoom"),
        ("/api/v1/cells?bbox=0,0,1,1&match=both", 400, "match"),
        ("/api/v1/flows?zoom=7", 400, "zoom"),
        ("/api/v1/flows?hour=7", 400, "hour"),
        ("/api/v1/groups?origin_bbox=1,2,3", 400, "origin_bbox"),
        ("/api/v1/groups?destination_bbox=0,9,1,2", 400, "destination_bbox"),
        ("/api/v1/metrics/trips?region=nowhere", 404, "region"),
        ("/api/v1/groups?zoom=x", 400, "zoom"),
        ("/api/v1/groups?zoom=99", 400, "zoom"),
        ("/api/v1/groups?hour=24", 400, "hour"),
        ("/api/v1/groups?hour=7&hours=8-9", 400, "hour"),
        ("/api/v1/groups?limit=0", 400, "limit"),
        ("/api/v1/groups?cursor=%00", 400, "cursor"),
        ("/api/v1/groups?region=nowhere", 404, "region"),
    ],
)
def test_questions_that_have_no_answer(api: Api, path: str, status: int, parameter: str | None) -> None:
    assert_problem(api.client.get(path), status, parameter)


RING = [[14.4, 50.0], [14.6, 50.0], [14.6, 50.1], [14.4, 50.1], [14.4, 50.0]]


def post(api: Api, path: str, body: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    answer = api.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    model.model_validate_json(answer.data)
    return answer.json


def test_a_polygon_is_asked_about_by_post(api: Api) -> None:
    api.ingest(HEADER + row("Polygon") + row("Polygon", "2018-05-15"))
    geometry = {"type": "Polygon", "coordinates": [RING]}
    asked = {"region": "polygon", "area": {"type": "Feature", "properties": {}, "geometry": geometry}}
    weekly = post(api, "/api/v1/weekly-average", asked | {"match": "either"}, documents.WeeklyAverage)
    assert (weekly["trips"], weekly["area"]["polygon"]) == (2, {"type": "MultiPolygon", "coordinates": [[RING]]})
    groups = post(api, "/api/v1/groups", asked, documents.TripGroupPage)["groups"]
    assert [group["trips"] for group in groups] == [2]
    flows = post(api, "/api/v1/flows", asked | {"zoom": 9}, documents.FlowPage)["flows"]
    assert [flow["trips"] for flow in flows] == [2]
    box = api.get("/api/v1/cells?bbox=14.4,50.0,14.6,50.1&zoom=12&region=polygon", documents.CellCounts)
    assert sum(cell["trips"] for cell in box["cells"]) == 2


@pytest.mark.parametrize("resource", ["weekly-average", "groups", "flows"])
@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"to": 0}, "to"),
        ({"from": 1525132800}, "from"),
        ({"from": 1.5}, "from"),
        ({"to": True}, "to"),
        ({"from": ["2018-05-01"]}, "from"),
        ({"from": "2018-05-01T00:00:00"}, "from"),
        ({"region": 7}, "region"),
        ({"regoin": "Prague"}, "regoin"),
    ],
)
def test_what_is_wrong_with_a_body(api: Api, resource: str, body: dict[str, Any], parameter: str) -> None:
    assert_problem(api.client.post(f"/api/v1/{resource}", json=body), 400, parameter)


def test_no_part_of_a_question_is_ignored(api: Api) -> None:
    path = "/api/v1/weekly-average"
    assert_problem(api.client.post(f"{path}?region=Prague", json={}), 400, "region")
    assert_problem(api.client.get(path, json={"region": "Prague"}), 400, "body")
    as_text = api.client.post(path, data=b'{"region": "Prague"}', content_type="text/plain")
    assert_problem(as_text, 400)
    assert "Content-Type: application/json" in as_text.json["detail"]
    assert_problem(api.client.post("/api/v1/groups", json={"limit": True}), 400, "limit")
    assert_problem(api.client.post("/api/v1/groups", json={"hour": True}), 400, "hour")


def test_areas_that_map_tools_save(api: Api) -> None:
    api.ingest(HEADER + row("Saved") + row("Saved", "2018-05-15"))
    around = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [RING]}}
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [14.5, 50.05]}}
    area = {"type": "FeatureCollection", "features": [around, point]}
    for resource, model in (("weekly-average", documents.WeeklyAverage), ("groups", documents.TripGroupPage)):
        answer = post(api, f"/api/v1/{resource}", {"region": "saved", "area": area}, model)
        assert [note["code"] for note in answer["notes"]].count("features_ignored") == 1
    marked = b"\xef\xbb\xbf" + json.dumps({"region": "saved", "area": area}).encode()
    answered = api.client.post("/api/v1/weekly-average", data=marked, content_type="application/json")
    assert (answered.status_code, answered.json["trips"]) == (200, 2)


def test_a_box_beyond_the_antimeridian_is_shown_as_it_was_read(api: Api) -> None:
    answer = api.get("/api/v1/weekly-average?bbox=170,50,190.1,60", documents.WeeklyAverage)
    assert answer["area"]["bbox"] == [170, 50, -169.9, 60]


@pytest.mark.parametrize(
    ("area", "complaint"),
    [
        ("Prague", "dictionary"),
        ({"type": "Point", "coordinates": [0, 0]}, "Polygon or MultiPolygon"),
        ({"type": "Polygon"}, "lists of rings"),
        ({"type": "Polygon", "coordinates": []}, "lists of rings"),
        ({"type": "Polygon", "coordinates": [RING[:3]]}, "four positions"),
        ({"type": "Polygon", "coordinates": [RING[:4]]}, "the last the same as the first"),
        ({"type": "Polygon", "coordinates": [[*RING[:3], ["a", 1], RING[0]]]}, "is not a position"),
        ({"type": "Polygon", "coordinates": [[*RING[:3], [0, 91], RING[0]]]}, "latitudes between -90 and 90"),
        ({"type": "Polygon", "coordinates": [[*RING[:3], [True, 9], RING[0]]]}, "is not a position"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "Self-intersection"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [2, 0], [0, 0]]]}, "not valid"),
        ({"type": "Polygon", "coordinates": [[[n / 1e4, 0] for n in range(100_000)]]}, "more than 50,000 positions"),
    ],
)
def test_what_is_wrong_with_a_polygon(api: Api, area: Any, complaint: str) -> None:
    answer = api.client.post("/api/v1/weekly-average", json={"area": area})
    assert_problem(answer, 400, "area")
    assert complaint in answer.json["detail"]


def test_cells_finer_than_golds_are_for_few_trips(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tripsmith.answers.trip_groups.MAX_FINE_TRIPS", 1)
    api.ingest(HEADER + row("Fine") + row("Fine", "2018-05-15"))
    answer = api.client.get("/api/v1/groups?region=fine&zoom=16")
    assert_problem(answer, 400, "zoom")
    assert "zoom 13 would do" in answer.json["detail"]
    assert api.client.get("/api/v1/groups?region=fine&zoom=16&from=2018-05-15").status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type", "status", "parameter"),
    [
        (b"", "text/csv", 400, "file"),
        (b"a,b\n1,2\n", "text/csv", 400, "file"),
        (b"\x7fELF\x00\x01", "text/csv", 400, "file"),
        (HEADER.replace(b"region", b"r\xe9gion") + row("x"), "text/csv", 400, "file"),
        (HEADER + b"x" * MAX_UPLOAD, "text/csv", 413, None),
        (HEADER + row("x"), "application/json", 415, None),
        (HEADER + row("x"), "application/x-www-form-urlencoded", 415, None),
        (HEADER + row("x"), None, 415, None),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400, "file"),
    ],
)
def test_files_that_are_not_taken(
    api: Api, content: bytes, content_type: str | None, status: int, parameter: str | None
) -> None:
    before = api.uploads()
    answer = api.client.post("/api/v1/ingestions", data=content, content_type=content_type)
    assert_problem(answer, status, parameter)
    assert api.uploads() == before


def a_form(*parts: tuple[str, str | bytes]) -> dict[str, Any]:
    """The body of a form; bytes are a file."""
    return {
        name: [
            (io.BytesIO(value), "form.csv") if isinstance(value, bytes) else value
            for key, value in parts
            if key == name
        ]
        for name, _ in parts
    }


def test_options_in_the_form_are_those_of_the_address(api: Api) -> None:
    content = HEADER.replace(b"region,", b"") + row("").removeprefix(b",")
    form = a_form(("region", "Formed"), ("name", "shown.csv"), ("file", content))
    sent = api.client.post("/api/v1/ingestions", data=form)
    assert (sent.status_code, sent.json["file_name"]) == (202, "shown.csv")
    run_ingestion(api.warehouse, int(sent.json["id"]))
    assert api.get("/api/v1/weekly-average?region=formed", documents.WeeklyAverage)["trips"] == 1
    refused = api.client.post("/api/v1/ingestions", data=a_form(("encoding", "klingon"), ("file", content)))
    assert_problem(refused, 400, "file")


@pytest.mark.parametrize(
    ("parts", "query", "parameter", "complaint"),
    [
        ([("regoin", "X"), ("file", HEADER)], "", "regoin", "beside it there may be datasource, encoding, format"),
        ([("csv", HEADER)], "", "csv", "There is no field 'csv'"),
        ([("file", HEADER), ("region", HEADER)], "", "region", "There is no field 'region'"),
        ([("file", HEADER), ("file", HEADER)], "", "file", "2 fields 'file'"),
        ([("region", "X"), ("region", "Y"), ("file", HEADER)], "", "region", "2 fields 'region'"),
        ([("region", "X"), ("file", HEADER)], "?region=X", "region", "in the address and in the form"),
        ([("file", "text")], "", "file", "curl -F file=@"),
        ([("file", HEADER)], "?region=X&region=Y", "region", "given 2 times"),
        ([("file", HEADER)], "?regoin=X", "regoin", "There is no parameter 'regoin'"),
    ],
)
def test_what_a_form_says_and_nobody_reads_is_refused(
    api: Api, parts: list[tuple[str, str | bytes]], query: str, parameter: str, complaint: str
) -> None:
    before = api.uploads()
    answer = api.client.post(f"/api/v1/ingestions{query}", data=a_form(*parts), content_type="multipart/form-data")
    assert_problem(answer, 400, parameter)
    assert complaint in answer.json["detail"]
    assert api.uploads() == before


@pytest.mark.parametrize(
    ("method", "path", "parameter"),
    [
        ("GET", "/api/v1/regions?x=1", "x"),
        ("GET", "/api/v1/ingestions/1?region=X", "region"),
        ("DELETE", "/api/v1/ingestions/1?force=1", "force"),
        ("POST", "/api/v1/ingestions/1/cancel?x=1", "x"),
        ("POST", "/api/v1/weekly-average?region=X", "region"),
        ("POST", "/api/v1/uploads?region=X", "region"),
        ("GET", "/api/v1/weekly-average?region=a&region=b", "region"),
        ("GET", "/api/v1/ingestions?limit=1&limit=2", "limit"),
    ],
)
def test_parameters_that_would_be_ignored_are_refused(api: Api, method: str, path: str, parameter: str) -> None:
    answer = api.client.open(path, method=method, headers={"Tus-Resumable": "1.0.0"})
    assert_problem(answer, 400, parameter)
    assert repr(parameter) in answer.json["detail"] or "give it once" in answer.json["detail"]


def test_a_method_that_is_not_taken(api: Api) -> None:
    answer = api.client.put("/api/v1/ingestions")
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Origin": "http://localhost"}, 415),
        ({"Origin": "http://127.0.0.1"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "localhost:x"}, 403),
    ],
)
def test_other_sites_change_nothing(api: Api, headers: dict[str, str], status: int) -> None:
    assert api.client.post("/api/v1/ingestions", headers=headers).status_code == status


def test_a_rebound_name_reads_nothing(api: Api) -> None:
    assert_problem(api.client.get("/api/v1/regions", headers={"Host": "evil.example"}), 403, "Host")


def test_the_openapi_document_is_whole(api: Api) -> None:
    document = api.client.get("/api/openapi.json").json
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in schemas
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        for status, response in operation["responses"].items():
            kinds = set(response.get("content", {}))
            assert kinds == {"application/problem+json"} if status >= "400" else kinds


def test_the_openapi_document_is_valid(api: Api) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(api.client.get("/api/openapi.json").json)
    validator.validate(api.client.get("/spec").json)


def test_the_reference_needs_no_other_host(api: Api) -> None:
    page = api.client.get("/api/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) >= 3
    for link in links:
        if not link.startswith("data:"):
            assert link.startswith("/")
            assert api.client.get(link).status_code == 200


def test_the_first_page_leads_to_the_reference_and_loads_nothing_from_elsewhere(api: Api) -> None:
    answer = api.client.get("/")
    assert "/api/docs" in answer.text
    assert re.findall(r'(?:src|href)="(?!/|data:)([^"]+)"', answer.text) == []
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_files_of_the_dashboard_come_compressed_or_not_as_asked(api: Api) -> None:
    packed = api.client.get("/dashboard/basemap/cities.json", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = api.client.get("/dashboard/basemap/cities.json")
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data
    assert any(name == "Prague" for name, *_ in plain.json)
    assert_problem(api.client.get("/dashboard/../application.py"), 404)
    assert_problem(api.client.get("/dashboard/assets/nothing.js"), 404)


def test_the_types_of_the_dashboard_are_those_of_the_api(api: Api) -> None:
    kept = json.loads((Path(__file__).parents[2] / "dashboard/openapi.json").read_text())
    assert kept == json.loads(api.client.get("/api/openapi.json").data), "run: make api-document"


def test_another_map_style_is_passed_on_and_allowed() -> None:
    settings = Settings(map_style='https://maps.example/style.json?key="a"&b')
    app, _ = create_app(settings, Warehouse(""))
    answer = app.test_client().get("/", headers={"Host": "localhost"})
    assert 'content="https://maps.example/style.json?key=&quot;a&quot;&amp;b"' in answer.text
    assert "connect-src 'self' https://maps.example https:" in answer.headers["Content-Security-Policy"]


def test_the_example_trips_are_taken_once(api: Api) -> None:
    first = api.client.post("/api/v1/ingestions/example")
    assert first.status_code == 202
    assert first.json["file_name"] == "trips-200000.csv"
    again = api.client.post("/api/v1/ingestions/example")
    assert again.status_code in (200, 202)
    assert again.json["id"] == first.json["id"]
    assert api.client.post(f"/api/v1/ingestions/{first.json['id']}/cancel").json["state"] == "cancelled"


def test_a_region_beside_a_column_of_that_name_is_refused_and_an_override_is_not(api: Api) -> None:
    content = HEADER + row("Own") + row("Own", "2018-05-02")
    refused = api.send(content, "?region=Given")
    assert_problem(refused, 400, "region")
    assert "give override_region to replace it" in refused.json["detail"]
    assert api.uploads() == []
    sent = api.ingest(content, "?override_region=Given&override_datasource=given")
    shown = api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)
    assert [(note["code"], note["rows"]) for note in shown["notes"]] == [
        ("override_region", 2),
        ("override_datasource", 2),
    ]
    assert api.get("/api/v1/weekly-average?region=given", documents.WeeklyAverage)["trips"] == 2
    assert_problem(api.send(HEADER[7:] + row("")[1:], "?override_region=X"), 400, "override_region")


def test_a_file_of_which_nothing_is_loaded_has_failed_and_its_rejections_are_listed(api: Api) -> None:
    content = HEADER + row("Failed", "28.5.2018") * 2
    sent = api.ingest(content)
    shown = api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)
    assert (shown["state"], shown["rows_read"], shown["rows_loaded"], shown["rows_rejected"]) == ("failed", 2, 0, 2)
    assert shown["error"].startswith("None of its 2 rows could be loaded; most often (2 rows): datetime 28.5.2018")
    assert len(api.client.get(f"/api/v1/ingestions/{sent}/rejections").data.splitlines()) == 3
    assert len(api.uploads()) == 1  # for a retry
    again = api.send(content, "?encoding=latin-1")
    assert (again.status_code, again.json["id"] != sent, len(api.uploads())) == (202, True, 1)
    assert api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)["state"] == "removed"
    assert api.client.delete(f"/api/v1/ingestions/{again.json['id']}").json["state"] == "removed"
    assert api.uploads() == []


def test_more_rejected_rows_than_allowed_fail_a_file(api: Api) -> None:
    content = HEADER + row("Limited") * 3 + row("Limited", "")
    sent = api.ingest(content, "?max_rejected=24%25")
    shown = api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)
    assert (shown["state"], shown["rows_loaded"]) == ("failed", 0)
    assert "rows was rejected: datetime  10:00:00 is not" in shown["error"]
    assert api.ingest(content, "?max_rejected=25%25") == sent
    shown = api.get(f"/api/v1/ingestions/{sent}", documents.Ingestion)
    assert shown["message"].startswith("3 trips loaded, 1 row rejected: datetime  10:00:00 is not")
    assert_problem(api.send(HEADER + row("Unlimited"), "?max_rejected=few"), 400, "max_rejected")
