"""Answers about places against a count in plain Python: boxes and polygons, before and after trips are indexed."""

import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
import quadbin
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.conftest import new_warehouse
from tripsmith.answers.cells import cell_counts
from tripsmith.answers.grouping import GroupQuestion
from tripsmith.answers.selection import ALL_HOURS, ALL_WEEKDAYS, MATCHES, Selection
from tripsmith.answers.statistics import LENGTHS, trip_statistics
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.geometry.geojson import parse_polygon
from tripsmith.geometry.shape import BoundingBox
from tripsmith.ingestion.indexing import IndexingDelayedError, make_next_segment
from tripsmith.ingestion.ownership import SEGMENT, claim
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import remove, submit
from tripsmith.sources import chunks
from tripsmith.warehouse.gold.segment import TABLES

REGIONS, SOURCES = ("Prague", "Turin"), ("cheap_mobile", "baba_car")
# Corners of cells at many zooms, the seams of the map, and a spot in a city.
LONGITUDES = (-180.0, -179.9999999, -90.0, -1e-12, 0.0, 14.0625, 14.42, 14.43, 179.9999999, 179.99999999999997, 180.0)
LATITUDES = (-90.0, -85.06, -85.0511, 0.0, 1e-12, 50.0, 50.08, 66.51326044311186, 85.0511287, 90.0)


@dataclass(frozen=True)
class Trip:
    region: str
    origin: tuple[float, float]
    destination: tuple[float, float]
    started_at: datetime
    source: str


def random_trips(seed: int, number: int) -> list[Trip]:
    chance = random.Random(seed)

    def point():
        kind = chance.random()
        if kind < 0.2:
            return chance.choice(LONGITUDES), chance.choice(LATITUDES)
        if kind < 0.8:
            return round(chance.gauss(14.42, 0.03), chance.choice((2, 3, 14))), round(chance.gauss(50.08, 0.02), 14)
        return chance.uniform(-180, 180), chance.uniform(-90, 90)

    start = datetime(2018, 4, 30)
    return [
        Trip(
            chance.choice(REGIONS),
            point(),
            point(),
            start + timedelta(seconds=chance.randrange(60 * 86400)),
            chance.choice(SOURCES),
        )
        for _ in range(number)
    ]


def as_csv(trips: list[Trip]) -> bytes:
    lines = ["region,origin_coord,destination_coord,datetime,datasource"]
    for trip in trips:
        origin, destination = (f"POINT ({x!r} {y!r})" for x, y in (trip.origin, trip.destination))
        lines.append(f"{trip.region},{origin},{destination},{trip.started_at},{trip.source}")
    return ("\n".join(lines) + "\n").encode()


class State:
    """A warehouse with some ingestions, and the trips that it ought to have."""

    def __init__(self, warehouse, folder):
        self.warehouse, self.folder = warehouse, folder
        self.trips: dict[str, list[Trip]] = {}

    def ingest(self, seed: int, number: int, look=lambda ingestion: None) -> str:
        trips = random_trips(seed, number)
        path = self.folder / f"{seed}.csv"
        path.write_bytes(as_csv(trips))
        with self.warehouse.connect() as connection:
            sent = submit(connection, path, path.name)
        ended = run_ingestion(self.warehouse, int(sent.ingestion.id), look)
        assert ended and ended.rows_loaded == number, ended
        self.trips[ended.id] = trips
        return ended.id

    def index(self) -> int:
        made = 0
        while make_next_segment(self.warehouse, few=1):
            made += 1
        return made

    def remove(self, ingestion_id: str) -> None:
        with self.warehouse.connect() as connection:
            remove(connection, ingestion_id)
        del self.trips[ingestion_id]

    @property
    def all_trips(self) -> list[Trip]:
        return [trip for trips in self.trips.values() for trip in trips]


@pytest.fixture(scope="module", params=["scanned", "indexed", "mixed", "removed", "rebuilt"])
def state(request, embedded_server, tmp_path_factory) -> Iterator[State]:
    patch = pytest.MonkeyPatch()
    patch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 16)
    patch.setattr(chunks, "_CHUNKS_A_FILE", 1 << 30)
    with new_warehouse(embedded_server) as warehouse:
        made = State(warehouse, tmp_path_factory.mktemp("places"))
        made.ingest(1, 2000)  # of several chunks, and so in a lot of its own
        first = made.ingest(2, 300)
        made.ingest(3, 200)
        if request.param != "scanned":
            assert made.index() == 2
        if request.param in ("mixed", "removed"):
            made.ingest(4, 250)
            made.ingest(5, 1500)
        if request.param == "removed":
            made.index()
            made.remove(first)  # the small ones that shared its segment have none now
            made.remove("5")
        if request.param == "rebuilt":
            assert len(list(rebuild(warehouse, "silver"))) == 3
            assert made.index() == 2
        yield made
    patch.undo()


# A shape's sides run through points and corners of cells more often than not.
longitudes = st.one_of(st.sampled_from(LONGITUDES), st.floats(-180, 180), st.floats(14.3, 14.5))
latitudes = st.one_of(st.sampled_from(LATITUDES), st.floats(-90, 90), st.floats(50.0, 50.2))


@st.composite
def boxes(draw, state_trips=None):
    south, north = sorted((draw(latitudes), draw(latitudes)))
    return BoundingBox(draw(longitudes), south, draw(longitudes), north)


@st.composite
def polygons(draw):
    """A star around a point with a hole in it, its corners on short decimals or not."""
    x, y = draw(st.floats(14.38, 14.46)), draw(st.floats(50.05, 50.11))
    size = draw(st.sampled_from((0.001, 0.02, 0.04, 3)))
    digits = draw(st.sampled_from((3, 15)))
    corners = draw(st.lists(st.floats(0.3, 1), min_size=3, max_size=12))
    ring = [
        [
            round(x + size * far * math.cos(2 * math.pi * number / len(corners)), digits),
            round(y + size * far * math.sin(2 * math.pi * number / len(corners)), digits),
        ]
        for number, far in enumerate(corners)
    ]
    hole = [[x + dx * size / 20, y + dy * size / 20] for dx, dy in ((-1, -1), (1, -1), (0, 1))]
    rings = [[*ring, ring[0]]]
    if draw(st.booleans()) and size > 0.01:
        rings.append([*hole, hole[0]])
    document = {"type": "Polygon", "coordinates": rings}
    if draw(st.booleans()):
        far_ring = [[170.0, 10.0], [190.0, 10.0], [190.0, 80.0], [170.0, 80.0], [170.0, 10.0]]
        document = {"type": "MultiPolygon", "coordinates": [rings, [far_ring]]}
    return document


def in_box(box: BoundingBox, point: tuple[float, float]) -> bool:
    across = box.west <= point[0] <= box.east
    if box.west > box.east:
        across = point[0] >= box.west or point[0] <= box.east
    return across and box.south <= point[1] <= box.north


def in_polygon(document: dict, point: tuple[float, float]) -> bool:
    polygons = document["coordinates"] if document["type"] == "MultiPolygon" else [document["coordinates"]]
    # What lies beyond 180 degrees is on the map's other side.
    return any(
        in_rings(rings, (Fraction(point[0]) + turn, Fraction(point[1]))) for rings in polygons for turn in (0, 360)
    )


def in_rings(rings: list, point: tuple[Fraction, Fraction]) -> bool:
    """By exact arithmetic: a point on a side is inside, another where a ray east crosses an odd number of sides."""
    x, y = point
    inside = False
    for ring in rings:
        for (x1, y1), (x2, y2) in pairwise(ring):
            ax, ay, bx, by = map(Fraction, (x1, y1, x2, y2))
            cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if cross == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                return True
            if (ay > y) != (by > y) and (cross > 0) == (by > ay):
                inside = not inside
    return inside


def matches(match: str, origin: bool, destination: bool) -> bool:
    return {
        "origin": origin,
        "destination": destination,
        "both": origin and destination,
        "either": origin or destination,
    }[match]


dates = st.none() | st.dates(date(2018, 4, 1), date(2018, 7, 31))


@st.composite
def selections(draw):
    """A selection, and whether a point lies in its shape, told without our code."""
    start, end = draw(dates), draw(dates)
    if start and end and start > end:
        start, end = end, start
    shape, inside = None, None
    kind = draw(st.sampled_from(("box", "polygon", "none")))
    if kind == "box":
        shape = draw(boxes())
        inside = lambda point: in_box(shape, point)  # noqa: E731
    elif kind == "polygon":
        document = draw(polygons())
        try:
            shape = parse_polygon(document)
        except ValueError:  # its corners, rounded, are not a polygon
            shape = None
        if shape is not None:
            inside = lambda point: in_polygon(document, point)  # noqa: E731
    selection = Selection(
        region=draw(st.none() | st.sampled_from(REGIONS)),
        shape=shape,
        match=draw(st.sampled_from(MATCHES)),
        datasource=draw(st.none() | st.sampled_from(SOURCES)),
        hours=draw(st.just(ALL_HOURS) | st.frozensets(st.integers(0, 23), min_size=1)),
        weekdays=draw(st.just(ALL_WEEKDAYS) | st.frozensets(st.integers(1, 7), min_size=1)),
        start=start,
        end=end,
    )
    return selection, inside


def chosen(trips: list[Trip], selection: Selection, inside) -> list[Trip]:
    return [
        trip
        for trip in trips
        if selection.region in (None, trip.region)
        and selection.datasource in (None, trip.source)
        and trip.started_at.hour in selection.hours
        and trip.started_at.isoweekday() in selection.weekdays
        and (selection.start is None or trip.started_at.date() >= selection.start)
        and (selection.end is None or trip.started_at.date() <= selection.end)
        and (inside is None or matches(selection.match, inside(trip.origin), inside(trip.destination)))
    ]


often = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def check_weeks(connection, trips: list[Trip], selection: Selection, inside) -> None:
    answer = weekly_average(connection, selection)
    days = [trip.started_at.date() for trip in chosen(trips, selection, inside)]
    counts = Counter(day - timedelta(day.weekday()) for day in days)
    assert {week: trips for week, trips in answer.series if trips} == counts, selection
    everything = Selection(region=selection.region, datasource=selection.datasource)
    covered = [trip.started_at.date() for trip in chosen(trips, everything, None)]
    start, end = selection.start or min(covered), selection.end or max(covered)
    assert (answer.span.start, answer.span.end) == (start, end)
    # Week by week and day by day, where the answer works out boundaries.
    touched = {day - timedelta(day.weekday()) for day in each_day(start, end)}
    whole = {
        week
        for week in touched
        if not any(
            week < begin <= week + timedelta(6) for begin in (selection.start, min(covered)) if begin is not None
        )
        and not any(week <= last < week + timedelta(6) for last in (selection.end, max(covered)) if last is not None)
    }
    assert [week for week, _ in answer.series] == sorted(touched)
    assert answer.average == (len(days) / len(touched) if touched else 0)
    assert answer.span.partial_weeks == touched - whole
    assert (answer.whole_weeks.weeks, answer.whole_weeks.trips) == (len(whole), sum(counts[week] for week in whole))


def each_day(start: date, end: date) -> Iterator[date]:
    while start <= end:
        yield start
        start += timedelta(1)


# Its east is rounded to 180 degrees where a column is worked out.
NEARLY_ROUND = BoundingBox(0, -90, 179.99999999999997, 90)


@often
@given(asked=selections())
@example(asked=(Selection(shape=NEARLY_ROUND), lambda point: in_box(NEARLY_ROUND, point)))
def test_weekly_averages(state, asked):
    with state.warehouse.connect() as connection:
        check_weeks(connection, state.all_trips, *asked)


def cell_of(point: tuple[float, float], zoom: int) -> int:
    # What is rounded to 180 degrees is in the column of -180.
    return quadbin.point_to_cell(-180 if point[0] + 180 == 360 else point[0], point[1], zoom)


@often
@given(
    asked=selections(),
    zoom=st.integers(8, 18),
    by_hour=st.booleans(),
    origin=st.none() | boxes(),
    destination=st.none() | boxes(),
)
def test_groups(state, asked, zoom, by_hour, origin, destination):
    selection, inside = asked
    question = GroupQuestion(selection=selection, zoom=zoom, origin=origin, destination=destination, by_hour=by_hour)
    expected = Counter(
        (cell_of(trip.origin, zoom), cell_of(trip.destination, zoom), trip.started_at.hour if by_hour else 0)
        for trip in chosen(state.all_trips, selection, inside)
        if (origin is None or in_box(origin, trip.origin))
        and (destination is None or in_box(destination, trip.destination))
    )
    found: list[tuple[tuple[int, int, int], int]] = []
    cursor = None
    with state.warehouse.connect() as connection:
        while True:
            page = trip_groups(connection, question, limit=1000, cursor=cursor)
            found += [((g.origin_cell, g.destination_cell, g.hour), g.trips) for g in page.groups]
            cursor = page.next
            if cursor is None:
                break
    assert dict(found) == expected
    assert len(found) == len(expected)
    assert [trips for _, trips in found] == sorted(expected.values(), reverse=True)


@often
@given(asked=selections(), view=boxes(), zoom=st.integers(0, 16), end=st.sampled_from(("origin", "destination")))
@example(asked=(Selection(), None), view=NEARLY_ROUND, zoom=14, end="origin")
def test_cells(state, asked, view, zoom, end):
    selection = Selection(
        region=asked[0].region,
        shape=view,
        match=end,
        datasource=asked[0].datasource,
        hours=asked[0].hours,
        weekdays=asked[0].weekdays,
        start=asked[0].start,
        end=asked[0].end,
    )
    expected = Counter(cell_of(getattr(trip, end), zoom) for trip in chosen(state.all_trips, selection, None))
    with state.warehouse.connect() as connection:
        found = cell_counts(connection, selection, zoom=zoom).cells
    # A cell in view has all of its trips; every cell with a trip in view is there.
    assert found == {cell: expected[cell] for cell in found}
    seen = {
        cell_of(getattr(trip, end), zoom)
        for trip in chosen(state.all_trips, selection, None)
        if in_box(view, getattr(trip, end))
    }
    assert seen <= set(found)


def kilometres(trip: Trip) -> float:
    """By the spherical law of cosines for the angle between two vectors, and not by the haversine formula."""
    vectors = []
    for end in (trip.origin, trip.destination):
        x, y = map(math.radians, end)
        vectors.append((math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)))
    (ax, ay, az), (bx, by, bz) = vectors
    cross = math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    return 6371.0088 * math.atan2(cross, ax * bx + ay * by + az * bz)


@pytest.mark.parametrize("region", [None, *REGIONS])
def test_statistics(state, region):
    trips = chosen(state.all_trips, Selection(region=region), None)
    with state.warehouse.connect() as connection:
        found = trip_statistics(connection, region)
    assert found.weekday_hours == Counter((trip.started_at.isoweekday(), trip.started_at.hour) for trip in trips)
    assert dict(found.weeks) == Counter(trip.started_at.date() - timedelta(trip.started_at.weekday()) for trip in trips)
    lengths = Counter(max(shortest for shortest in LENGTHS if shortest <= kilometres(trip)) for trip in trips)
    assert found.lengths == lengths
    assert found.rejected_reasons == []


def test_what_is_indexed_while_another_ingestion_runs(embedded_server, tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 16)
    monkeypatch.setattr(chunks, "_CHUNKS_A_FILE", 1 << 30)
    box = BoundingBox(14.40, 50.06, 14.45, 50.10)
    with new_warehouse(embedded_server) as warehouse, warehouse.connect() as connection:
        state = State(warehouse, tmp_path)
        state.ingest(1, 2000)
        state.index()
        before, phases = list(state.all_trips), set()

        def look(ingestion):
            if not ingestion.is_finished:
                phases.add(ingestion.phase)
                for match in MATCHES:
                    check_weeks(connection, before, Selection(shape=box, match=match), lambda p: in_box(box, p))

        state.ingest(2, 3000, look)
        assert phases >= {"bronze", "silver", "gold"}
        for match in MATCHES:
            check_weeks(connection, state.all_trips, Selection(shape=box, match=match), lambda p: in_box(box, p))


def test_nothing_is_left_of_a_segment_that_is_removed(embedded_server, tmp_path):
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'gold'::regnamespace ORDER BY 1"
    with new_warehouse(embedded_server) as warehouse, warehouse.connect() as connection:
        before = connection.execute(tables).fetchall()
        state = State(warehouse, tmp_path)
        first, second = state.ingest(1, 300), state.ingest(2, 300)
        assert make_next_segment(warehouse, few=1) == [int(first), int(second)]
        assert make_next_segment(warehouse, few=1) == ()
        state.remove(first)
        assert connection.execute(tables).fetchall() == before
        assert connection.execute("SELECT count(*) FROM gold.segment").fetchone() == (0,)
        assert make_next_segment(warehouse, few=301) == ()
        assert make_next_segment(warehouse, few=1) == [int(second)]


def test_a_segment_whose_maker_is_killed(embedded_server, tmp_path):
    with new_warehouse(embedded_server) as warehouse, warehouse.connect() as connection:
        state = State(warehouse, tmp_path)
        state.ingest(1, 40_000)
        tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'gold'::regnamespace AND relname ~ '_[0-9]+$'"
        (before,) = connection.execute(tables).fetchone()
        environment = {**os.environ, "TRIPSMITH_DATABASE_URL": warehouse.conninfo}
        seen = set()
        box = BoundingBox(14.40, 50.06, 14.45, 50.10)
        for made in range(1, len(TABLES)):
            command = [sys.executable, "-m", "tripsmith", "index"]
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None and connection.execute(tables).fetchone()[0] < before + made:
                    pass
                process.kill()
            seen.add(connection.execute(tables).fetchone()[0] - before)
            check_weeks(connection, state.all_trips, Selection(shape=box), lambda point: in_box(box, point))
        assert len(seen) > 1, "the process was always killed at the same moment"
        make_next_segment(warehouse, few=1)
        assert connection.execute("SELECT count(*) FROM gold.segment").fetchone() == (1,)
        assert connection.execute(tables).fetchone()[0] == before + len(TABLES)
        check_weeks(connection, state.all_trips, Selection(shape=box), lambda point: in_box(box, point))


def test_an_ingestion_is_removed_while_it_is_indexed(embedded_server, tmp_path):
    with new_warehouse(embedded_server) as warehouse, warehouse.connect() as connection:
        state = State(warehouse, tmp_path)
        first, second = state.ingest(1, 40_000), state.ingest(2, 2000)
        with ThreadPoolExecutor(1) as pool:
            making = pool.submit(make_next_segment, warehouse, few=1)
            while not connection.execute("SELECT count(*) FROM gold.segment").fetchone()[0]:
                pass
            state.remove(first)
            try:
                assert making.result() in ([int(second)], [int(first), int(second)])
            except IndexingDelayedError as error:
                assert str(error) == "An ingestion is being removed or rebuilt."
        state.index()
        assert connection.execute("SELECT count(*) FROM gold.segment").fetchone() == (1,)
        box = BoundingBox(14.40, 50.06, 14.45, 50.10)
        check_weeks(connection, state.all_trips, Selection(shape=box), lambda point: in_box(box, point))


def test_indexing_waits_for_another_process_that_is_at_it(embedded_server, tmp_path):
    with new_warehouse(embedded_server) as warehouse, warehouse.connect() as connection:
        number = State(warehouse, tmp_path).ingest(1, 300)
        command = [sys.executable, "-m", "tripsmith", "index"]
        environment = {**os.environ, "TRIPSMITH_DATABASE_URL": warehouse.conninfo}
        with claim(connection, 0, kind=SEGMENT) as claimed:
            assert claimed
            with pytest.raises(IndexingDelayedError, match="Another process is indexing"):
                make_next_segment(warehouse, few=1)
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            assert process.stderr.readline() == "Another process is indexing. Waiting for that.\n"
            assert process.poll() is None
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, f"Indexed ingestion {number}\n")
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert ended.stdout == "All ingestions are indexed.\n"


def test_a_polygon_is_read_from_a_feature_and_written_as_it_came():
    ring = [[14.4, 50.0], [14.5, 50.0], [14.5, 50.1], [14.4, 50.0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    polygon = parse_polygon(json.loads(json.dumps({"type": "Feature", "properties": {}, "geometry": geometry})))
    assert polygon.as_json()["coordinates"][0] == [ring]
