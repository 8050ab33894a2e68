"""The original API, to the letter, as its clients use it."""

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio
from test_live_server import Server, a_trip, server, trips  # noqa: F401

LONG = 120
REAL_DATA = Path(__file__).parents[3] / "shared" / "data" / "trips.csv"

SIX = [
    ("data_ingestion_status", "Data ingestion started"),
    ("data_ingestion_status", "Data ingestion completed"),
    ("data_transformation_status", "Data transformation started"),
    ("data_transformation_status", "Silver layer created"),
    ("data_transformation_status", "Gold layer created"),
    ("data_transformation_status", "Data transformation completed"),
]


class Client:
    """An old client: joins /my_namespace and hears messages."""

    def __init__(self, url: str) -> None:
        self._heard: queue.Queue[tuple[str, str]] = queue.Queue()
        self.client = socketio.Client()
        self.client.on("*", self._hear, namespace="/my_namespace")
        self.client.connect(url, namespaces=["/my_namespace"])

    def _hear(self, event: str, data: dict) -> None:
        assert set(data) == {"message"}
        self._heard.put((event, data["message"]))

    def next(self, count: int) -> list[tuple[str, str]]:
        return [self._heard.get(timeout=LONG) for _ in range(count)]

    def is_quiet(self) -> bool:
        return self._heard.empty()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:  # noqa: F811
    joined = Client(server.url)
    yield joined
    joined.client.disconnect()


def upload(server: Server, name: str, content: bytes) -> tuple[int, dict]:  # noqa: F811
    answer = server.post("/upload-csv", files={"file": (name, content)})
    return answer.status_code, answer.json()


DONE = (200, {"message": "File uploaded and saved to database successfully"})


def test_six_messages_in_order_for_one_upload(server: Server, client: Client) -> None:  # noqa: F811
    assert upload(server, "six.csv", trips(a_trip("Six"))) == DONE
    assert client.next(6) == SIX
    assert client.is_quiet()


def test_the_same_file_again_is_told_again_and_counted_once(server: Server, client: Client) -> None:  # noqa: F811
    content = trips(a_trip("Twice"))
    for _ in range(2):
        assert upload(server, "twice.csv", content) == DONE
        assert client.next(6) == SIX
    answer = server.get("/weekly-average-trips", params={"region": "twice"}).json()
    assert answer == {"data": [{"week": "2018-04-30", "weekly_avg_trips": 1}]}


def test_answers_wait_for_all_three_layers(server: Server) -> None:  # noqa: F811
    assert upload(server, "waits.csv", trips(a_trip("Waits"))) == DONE
    assert server.get("/api/v1/weekly-average?region=Waits").json()["trips"] == 1
    assert server.get("/api/v1/groups?region=Waits").json()["groups"][0]["trips"] == 1


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"other": ("a.csv", b"x")}, "No file part"),
        (None, "No file part"),
        ({"file": ("a.txt", trips(a_trip()))}, "Invalid file format"),
        ({"file": ("csv", trips(a_trip()))}, "Invalid file format"),
    ],
)
def test_uploads_that_are_refused(server: Server, files: dict | None, error: str) -> None:  # noqa: F811
    answer = server.post("/upload-csv", files=files)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_file_field_without_a_file(server: Server) -> None:  # noqa: F811
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n'
    answer = server.post("/upload-csv", data=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()) == (400, {"error": "No selected file"})


def test_a_file_that_cannot_be_taken(server: Server) -> None:  # noqa: F811
    status, answer = upload(server, "bad.csv", b"a,b\n1,2\n")
    assert status == 500
    assert list(answer) == ["error"]
    assert not list((server.data_dir / "uploads").iterdir())


def test_a_file_of_which_nothing_is_loaded(server: Server) -> None:  # noqa: F811
    assert upload(server, "nothing.csv", trips(a_trip(""), a_trip(""))) == (
        500,
        {"error": "None of its 2 rows could be loaded; most often (2 rows): region is missing."},
    )


def test_weekly_trips_and_their_messages(server: Server, client: Client) -> None:  # noqa: F811
    rows = [a_trip("Weekly", day) for day in ("2018-05-07", "2018-05-13", "2018-05-21")]
    assert upload(server, "weekly.csv", trips(*rows)) == DONE
    client.next(6)
    expected = [{"week": "2018-05-07", "weekly_avg_trips": 2}, {"week": "2018-05-21", "weekly_avg_trips": 1}]
    by_region = server.get("/weekly-average-trips?region=weekly&db_name=x&table_name=y")
    assert (by_region.status_code, by_region.json()) == (200, {"data": expected})
    assert client.next(3) == [
        ("weekly_average_trips_status", f"Fetch weekly average trips {what}")
        for what in ("started", "by REGION", "concluded")
    ]
    by_box = server.get("/weekly-average-trips?min_lat=50&max_lat=50.06&min_lon=14.45&max_lon=14.6").json()["data"]
    assert [row for row in by_box if row in expected] == expected
    assert client.next(3)[1] == ("weekly_average_trips_status", "Fetch weekly average trips by BOUDING BOX")


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        ("region=nowhere", 200, {"data": []}),
        ("min_lat=0&max_lat=0&min_lon=0&max_lon=0", 200, {"data": []}),
    ],
)
def test_areas_without_trips(server: Server, query: str, status: int, answer: dict) -> None:  # noqa: F811
    found = server.get(f"/weekly-average-trips?{query}")
    assert (found.status_code, found.json()) == (status, answer)


def test_weeks_without_trips_in_the_area_are_not_among_its_rows(server: Server) -> None:  # noqa: F811
    here = [a_trip("Sparse", day).replace("14.5 50.05", "77.5 12.5") for day in ("2018-05-08", "2018-06-12")]
    assert upload(server, "sparse.csv", trips(*here, a_trip("Sparse", "2018-05-22"))) == DONE
    found = server.get("/weekly-average-trips?min_lat=12&max_lat=13&min_lon=77&max_lon=78").json()["data"]
    assert found == [{"week": week, "weekly_avg_trips": 1} for week in ("2018-05-07", "2018-06-11")]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "min_lat=1",
        "min_lat=a&max_lat=2&min_lon=3&max_lon=4",
        "min_lat=50&max_lat=51&min_lon=14.6&max_lon=14.4",
        "db_name=x",
    ],
)
def test_questions_without_an_area(server: Server, client: Client, query: str) -> None:  # noqa: F811
    answer = server.get(f"/weekly-average-trips?{query}")
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert client.next(2)[-1] == ("weekly_average_trips_status", "Fetch weekly average trips error")


def test_its_document(server: Server) -> None:  # noqa: F811
    paths = server.get("/spec").json()["paths"]
    assert set(paths) == {"/upload-csv", "/weekly-average-trips", "/restart-server"}


def test_restart(server: Server, client: Client) -> None:  # noqa: F811
    answer = server.post("/restart-server")
    assert (answer.status_code, answer.json()) == (200, {"message": "Server restarting..."})
    assert client.next(1) == [("trigger_restart", "Server will be restared")]
    assert server.get("/readyz").status_code == 200
    refused = server.post("/restart-server", headers={"Origin": "http://evil.example"})
    assert refused.status_code == 403


@pytest.mark.skipif(not REAL_DATA.exists(), reason="../shared/data is not there")
def test_the_figures_of_the_real_file(server: Server) -> None:  # noqa: F811
    assert upload(server, "trips.csv", REAL_DATA.read_bytes()) == DONE
    answer = server.get("/weekly-average-trips?region=Turin").json()["data"]
    assert [row["weekly_avg_trips"] for row in answer] == [8, 6, 6, 14, 4]
