"""The example trips: the same everywhere, valid, and shaped like real ones."""

import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from statistics import median

import pytest

from tripsmith.sample.cities import CENTRE, CITIES
from tripsmith.sample.generator import BLOCK_ROWS, spoil, write_sample
from tripsmith.sources.formats import TRIPS

HEADER = ",".join(TRIPS.columns)
POINT = r"POINT \((-?\d{1,3}\.\d{12}) (-?\d{1,2}\.\d{12})\)"
LINE = re.compile(rf"([^,]+),{POINT},{POINT},(2018-\d\d-\d\d \d\d:\d\d:\d\d),([a-z_]+)")
ROWS = 2 * BLOCK_ROWS + 7_000


@dataclass(frozen=True)
class Trip:
    region: str
    origin: tuple[float, float]
    destination: tuple[float, float]
    started_at: datetime
    datasource: str

    @property
    def weekend(self) -> bool:
        return self.started_at.weekday() >= 5


def sample(rows: int, seed: int = 1, invalid_every: int = 0) -> bytes:
    out = io.BytesIO()
    write_sample(out, rows, seed, invalid_every=invalid_every)
    return out.getvalue()


def trip(line: str) -> Trip:
    match = LINE.fullmatch(line)
    assert match, line
    region, *numbers, started_at, datasource = match.groups()
    west, south, east, north = map(float, numbers)
    return Trip(region, (west, south), (east, north), datetime.fromisoformat(started_at), datasource)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The haversine distance on a sphere of radius 6371 km."""
    (lon_a, lat_a), (lon_b, lat_b) = (tuple(map(radians, point)) for point in (a, b))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371 * asin(sqrt(h))


@pytest.fixture(scope="module")
def trips() -> list[Trip]:
    return [trip(line) for line in sample(ROWS).decode().splitlines()[1:]]


# A change of these digests changes everyone's sample files: say so in the changelog.
@pytest.mark.parametrize(
    ("seed", "digest"),
    [
        (1, "d4ace4b4e73318434b775fe23ccb721d54dae4ef0d38d6130801f43d15f8f6fa"),
        (2, "ec0fb97b4141a475771bc13c3dbd03fdcb4e4b5c215ccb8124c3a7345386d67c"),
    ],
)
def test_the_same_seed_gives_the_same_bytes_on_any_machine(seed: int, digest: str) -> None:
    assert hashlib.sha256(sample(ROWS, seed)).hexdigest() == digest


def test_fewer_rows_are_the_beginning_of_more() -> None:
    assert sample(ROWS).startswith(sample(BLOCK_ROWS + 1))


@pytest.mark.parametrize("rows", [0, 1, 2, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_it_has_a_header_and_exactly_the_rows_asked_for(rows: int) -> None:
    text = sample(rows).decode()
    assert text.startswith(HEADER + "\n")
    assert text.endswith("\n")
    assert text.count("\n") == rows + 1


def test_no_row_is_there_twice() -> None:
    assert len(set(sample(ROWS).splitlines())) == ROWS + 1


def test_every_trip_lies_near_its_city(trips: list[Trip]) -> None:
    centres = {city.name: city.spots[0][1:] for city in CITIES}
    for each in trips:
        assert kilometres(each.origin, centres[each.region]) < 50
        assert kilometres(each.destination, centres[each.region]) < 50


def test_cities_have_their_shares_and_data_sources(trips: list[Trip]) -> None:
    regions = Counter(each.region for each in trips)
    streams = Counter((each.region, each.datasource) for each in trips)
    assert len(regions) == len(CITIES) >= 8
    assert sum(city.share for city in CITIES) == 1000
    for city in CITIES:
        assert city.spots[0][0] is CENTRE
        assert regions[city.name] / len(trips) == pytest.approx(city.share / 1000, abs=0.01)
        for datasource, weight in city.datasources.items():
            share = weight / sum(city.datasources.values())
            assert streams[city.name, datasource] / regions[city.name] == pytest.approx(share, abs=0.05)


def test_lengths_are_those_of_trips_in_a_city(trips: list[Trip]) -> None:
    lengths = sorted(kilometres(each.origin, each.destination) for each in trips)
    assert 2 < median(lengths) < 4.5
    assert sum(0.5 <= length <= 15 for length in lengths) / len(lengths) > 0.85
    assert lengths[-1] < 50


def test_weekdays_have_rush_hours_and_weekends_do_not(trips: list[Trip]) -> None:
    def share(weekend: bool, hours: range) -> float:
        times = [each.started_at.hour for each in trips if each.weekend is weekend]
        return sum(hour in hours for hour in times) / len(times)

    for rush in (range(7, 9), range(16, 18)):
        assert share(False, rush) > 1.2 * share(False, range(12, 14))
    assert share(False, range(7, 9)) > 2 * share(True, range(7, 9))
    assert share(True, range(0, 3)) > 2 * share(False, range(0, 3))


def test_commuters_go_in_in_the_morning_and_out_in_the_evening(trips: list[Trip]) -> None:
    centre = CITIES[0].spots[0][1:]

    def inward(hours: range) -> float:
        """Median kilometres by which a trip ends nearer to the centre than it began."""
        return median(
            kilometres(each.origin, centre) - kilometres(each.destination, centre)
            for each in trips
            if each.region == CITIES[0].name and not each.weekend and each.started_at.hour in hours
        )

    assert inward(range(7, 10)) > 0.1
    assert inward(range(16, 20)) < -0.1


def test_the_year_has_52_weeks_fewer_trips_at_weekends_and_growth(trips: list[Trip]) -> None:
    weeks = Counter(each.started_at.isocalendar().week for each in trips)
    assert sorted(weeks) == list(range(1, 53))
    assert sum(each.weekend for each in trips) / len(trips) == pytest.approx(0.22, abs=0.02)
    assert sum(weeks[week] for week in range(40, 53)) > 1.05 * sum(weeks[week] for week in range(1, 14))


def test_rows_come_in_no_order(trips: list[Trip]) -> None:
    times = [each.started_at for each in trips]
    falls = sum(later < earlier for earlier, later in pairwise(times))
    assert falls / len(times) == pytest.approx(0.5, abs=0.02)


def test_every_kth_row_is_invalid_if_asked_and_the_others_are_untouched() -> None:
    good, mixed = sample(ROWS).splitlines(keepends=True), sample(ROWS, invalid_every=7).splitlines(keepends=True)
    assert len(good) == len(mixed)
    for row in range(1, ROWS + 1):
        expected = spoil(good[row], row // 7 - 1) if row % 7 == 0 else good[row]
        assert mixed[row] == expected


def test_each_way_of_being_invalid_is_the_one_it_says() -> None:
    line = sample(1).splitlines(keepends=True)[1]
    latitude, point, day, region, columns = (
        next(csv.reader([spoil(line, way).decode().removesuffix("\n")])) for way in range(5)
    )
    assert latitude[1].endswith(" 95.0)")
    assert point[2] == "somewhere"
    assert day[3] == "2018-02-30 08:15:00"
    assert region[0] == ""
    assert len(columns) == 6
    assert [len(row) for row in (latitude, point, day, region)] == [5, 5, 5, 5]


def test_progress_is_told_the_rows_so_far() -> None:
    seen: list[int] = []
    write_sample(io.BytesIO(), BLOCK_ROWS + 1, progress=seen.append)
    assert seen == [BLOCK_ROWS, BLOCK_ROWS + 1]


@pytest.mark.parametrize(("rows", "seed", "invalid_every"), [(-1, 1, 0), (1, -1, 0), (1, 1, -1)])
def test_negative_numbers_are_refused(rows: int, seed: int, invalid_every: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        write_sample(io.BytesIO(), rows, seed, invalid_every=invalid_every)
