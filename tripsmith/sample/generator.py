"""Example trips: made-up CSV of the format `trips`, with the shape of real ones, for trying, testing and measuring.

Every city is a mixture of hot spots (normal around a centre, known by its spread). The hour decides what kind of spot a
trip starts from and what kind it goes to, nearer ones first, so mornings flow into the centre and evenings out of it.
Nearly one trip in three is a short errand around its origin instead, of a spread that is log-normal.

Rows depend on the seed alone, not on the machine: the random bits come from `PCG64.random_raw`, whose stream NumPy
guarantees, and everything after that looks up tables and computes in integers, so no last digit of a float can differ.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from statistics import NormalDist
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tripsmith.sample.cities import CITIES, EVENING, MIDDAY, MORNING, NIGHT, WEEKEND, City, Kind
from tripsmith.sources.formats import TRIPS

Integers = NDArray[np.integer[Any]]
Spot = tuple[int, Kind, float, float]
"""The number of its city, its kind, longitude, latitude."""

BLOCK_ROWS = 16_384
WORDS = 16
"""Random 16-bit words for each row."""
FIRST_DAY = date(2018, 1, 1)
WEEKS = 52

DEGREE = 10**12
"""Coordinates are integers of this many units a degree, and are written with as many decimals."""
METRES_PER_DEGREE = 6_371_009 * math.pi / 180

Q = 20
"""Normal deviates are fixed-point numbers with this many fractional bits."""
ERRANDS_IN_16 = 5
ERRAND_METRES, ERRAND_SIGMA, ERRAND_LIMIT_METRES = 1400, 0.6, 5000
REACH_METRES = 4000
"""At this distance a spot draws half as many trips as next door."""

# From Monday.
DAY_WEIGHTS = (98, 102, 104, 106, 114, 82, 64)
# Trips at the full hours from 0 to 23, with a straight line between them.
WEEKDAY_HOURS = (4, 2, 2, 2, 4, 14, 38, 82, 96, 62, 46, 48, 54, 52, 52, 60, 78, 100, 92, 66, 46, 34, 24, 14)
WEEKEND_HOURS = (30, 24, 16, 10, 6, 6, 8, 14, 24, 38, 54, 66, 72, 72, 70, 70, 70, 70, 68, 64, 54, 46, 42, 38)

NUMBER = np.dtype([("degrees", "S5"), ("decimals", "S4", (3,))])
LINE = np.dtype(
    [
        ("head", "S24"),
        ("origin_longitude", NUMBER),
        ("origin_space", "S1"),
        ("origin_latitude", NUMBER),
        ("between", "S9"),
        ("destination_longitude", NUMBER),
        ("destination_space", "S1"),
        ("destination_latitude", NUMBER),
        ("close", "S2"),
        ("day", "S11"),
        ("time", "S8"),
        ("tail", "S24"),
    ]
)
"""A line with every field at its widest; shorter ones leave zero bytes, which are taken out at the end."""


def write_sample(
    out: BinaryIO,
    rows: int,
    seed: int = 1,
    *,
    progress: Callable[[int], None] | None = None,
    invalid_every: int = 0,
) -> None:
    """Write a header and `rows` example trips to `out`, as UTF-8 CSV with WKT points (`lon lat`, degrees, 12 decimals).

    The trips begin in 2018, in local time, and come in no order. The same rows and seed give the same bytes everywhere,
    and fewer rows of the same seed give the beginning of that file. `progress` is called with the number of rows
    written so far. With `invalid_every` = k > 0 the rows k, 2k, 3k … (counted from 1) are made invalid, by turns in the
    ways of `spoil`; all other rows stay as they are without it. Raises ValueError if a number is negative.
    """
    for name, value in (("rows", rows), ("seed", seed), ("invalid_every", invalid_every)):
        if value < 0:
            raise ValueError(f"{name} must not be negative, but is {value}")
    out.write((",".join(TRIPS.columns) + "\n").encode())
    tables = _tables()
    lines = _blank_lines(min(rows, BLOCK_ROWS))
    for first in range(0, rows, BLOCK_ROWS):
        count = min(BLOCK_ROWS, rows - first)
        # A stream of its own for each block: any block can be made without those before it.
        bits = np.random.PCG64(np.random.SeedSequence([seed, first // BLOCK_ROWS])).random_raw(count * WORDS // 4)
        _fill(lines[:count], bits.astype("<u8", copy=False).view("<u2").reshape(count, WORDS), tables)
        block = lines[:count].tobytes().translate(None, b"\0")
        out.write(_spoiled(block, first, invalid_every) if invalid_every else block)
        if progress:
            progress(first + count)


def spoil(line: bytes, way: int) -> bytes:
    """Return a valid line of the sample made invalid, ending included.

    The ways: 0 latitude 95, 1 not a point, 2 unknown date, 3 missing region, 4 a column too many; 5 is 0 again.
    """
    region, origin, destination, started_at, datasource = line.rstrip(b"\n").split(b",")
    match way % 5:
        case 0:
            origin = origin[: origin.rindex(b" ")] + b" 95.0)"
        case 1:
            destination = b"somewhere"
        case 2:
            started_at = b"2018-02-30 08:15:00"
        case 3:
            region = b""
        case _:
            datasource += b",surplus"
    return b",".join((region, origin, destination, started_at, datasource)) + b"\n"


def _spoiled(block: bytes, first: int, every: int) -> bytes:
    """Return a block, whose first line is row `first` (from 0) of the file, with every `every`-th row invalid."""
    lines = block.splitlines(keepends=True)
    for index in range(-(first + 1) % every, len(lines), every):
        lines[index] = spoil(lines[index], (first + index + 1) // every - 1)
    return b"".join(lines)


@dataclass(frozen=True, slots=True)
class _Tables:
    """Everything that random bits are looked up in.

    A stream is a pair of city and data source, spots are numbered through all cities, a quarter is one of the 96 of a
    day, a unit is 1/DEGREE of a degree.
    """

    streams: Integers
    """[16 bits] the stream."""
    stream_city: Integers
    days: Integers
    """[16 bits] the day, counted from FIRST_DAY."""
    quarters: Integers
    """[weekend, 16 bits] the quarter."""
    periods: Integers
    """[weekend, quarter] the period."""
    origins: Integers
    """[period, city, 12 bits] the spot a trip starts from."""
    destinations: Integers
    """[period, spot of origin, 12 bits] the spot it goes to, if it is no errand."""
    spot_place: Integers
    """[spot, longitude and latitude] the centre, in units."""
    spot_spread: Integers
    """[spot, longitude and latitude] the standard deviation, in units."""
    errand_metres: Integers
    """[12 bits] the standard deviation of an errand's end around its origin."""
    city_metre: Integers
    """[city, longitude and latitude] a metre, in units."""
    normal: Integers
    """[4097] quantiles of the normal distribution, fixed-point with Q fractional bits."""
    head_text: NDArray[np.bytes_]
    tail_text: NDArray[np.bytes_]
    degree_text: NDArray[np.bytes_]
    """[whole degrees, 181 more if west or south] the text up to the decimal point."""
    digits_text: NDArray[np.bytes_]
    day_text: NDArray[np.bytes_]
    time_text: NDArray[np.bytes_]
    """[second of the day]."""


def _fill(lines: NDArray[Any], bits: Integers, tables: _Tables) -> None:
    """Fill the lines (LINE) from random 16-bit words [row, WORDS]; what never changes is there already."""
    t = tables
    stream = t.streams[bits[:, 0]]
    city = t.stream_city[stream]
    day = t.days[bits[:, 1]]
    weekend = (day % 7 >= 5).astype(np.int64)
    quarter = t.quarters[weekend, bits[:, 2]]
    second = quarter.astype(np.int64) * 900 + (bits[:, 3].astype(np.int64) * 900 >> 16)
    period = t.periods[weekend, quarter]
    origin = t.origins[period, city, bits[:, 4] >> 4]
    destination = t.destinations[period, origin, bits[:, 5] >> 4]
    errand = (bits[:, 4] & 15) < ERRANDS_IN_16
    errand_metres = t.errand_metres[bits[:, 5] >> 4]
    for axis, name in enumerate(("longitude", "latitude")):
        at_origin, at_end = bits[:, 6 + 2 * axis : 8 + 2 * axis], bits[:, 10 + 2 * axis : 12 + 2 * axis]
        start = t.spot_place[origin, axis] + (t.spot_spread[origin, axis] * _deviate(at_origin, t) >> Q)
        around = np.where(errand, start, t.spot_place[destination, axis])
        spread = np.where(errand, errand_metres * t.city_metre[city, axis], t.spot_spread[destination, axis])
        end = around + (spread * _deviate(at_end, t) >> Q)
        _write_number(lines["origin_" + name], start, t)
        _write_number(lines["destination_" + name], end, t)
    lines["head"] = t.head_text[city]
    lines["day"] = t.day_text[day]
    lines["time"] = t.time_text[second]
    lines["tail"] = t.tail_text[stream]


def _deviate(bits: Integers, tables: _Tables) -> Integers:
    """Return normal deviates (fixed-point, Q) for pairs of words: 12 bits pick a quantile, 16 a place to the next."""
    index = bits[:, 0] >> 4
    low, high = tables.normal[index], tables.normal[index + 1]
    deviate: Integers = low + ((high - low) * bits[:, 1] >> 16)
    return deviate


def _write_number(field: NDArray[Any], units: Integers, tables: _Tables) -> None:
    """Write coordinates, in units, into a field (NUMBER) as text."""
    magnitude = np.abs(units)
    degrees = magnitude // DEGREE
    rest = magnitude - degrees * DEGREE
    field["degrees"] = tables.degree_text[degrees + 181 * (units < 0)]
    for position, unit in enumerate((10**8, 10**4, 1)):
        digits = rest // unit
        field["decimals"][:, position] = tables.digits_text[digits]
        rest = rest - digits * unit


def _blank_lines(rows: int) -> NDArray[Any]:
    lines = np.zeros(rows, LINE)
    for name, text in (("origin_space", " "), ("between", "),POINT ("), ("destination_space", " "), ("close", "),")):
        lines[name] = text.encode()
    return lines


@cache
def _tables() -> _Tables:
    streams = [(number, name) for number, city in enumerate(CITIES) for name in city.datasources]
    spots: list[Spot] = [(number, *spot) for number, city in enumerate(CITIES) for spot in city.spots]
    metres = [_metre(city) for city in CITIES]
    days = range(WEEKS * 7)
    normal = NormalDist()
    return _Tables(
        streams=_slots([_share(CITIES[city], name) for city, name in streams], 16),
        stream_city=np.array([city for city, _ in streams]),
        # Growth of a fifth over the year, and as much again from winter to summer.
        days=_slots([DAY_WEIGHTS[day % 7] * (900 + day // 2 + (182 - abs(day - 182))) for day in days], 16),
        quarters=np.stack([_slots(_by_quarter(hours), 16) for hours in (WEEKDAY_HOURS, WEEKEND_HOURS)]),
        periods=np.array([[_period(quarter // 4, weekend) for quarter in range(96)] for weekend in (False, True)]),
        origins=np.array([[_origins(city, period, spots) for city in range(len(CITIES))] for period in range(5)]),
        destinations=np.array([[_destinations(spot, period, spots) for spot in spots] for period in range(5)]),
        # Places are given to 4 decimals: as integers they are the same everywhere.
        spot_place=np.array([[round(lon * 10**4), round(lat * 10**4)] for _, _, lon, lat in spots]) * (DEGREE // 10**4),
        spot_spread=np.array([[kind.spread * metre for metre in metres[city]] for city, kind, _, _ in spots]),
        errand_metres=np.array([_errand_metres((slot + 0.5) / 4096) for slot in range(4096)]),
        city_metre=np.array(metres),
        # Cut where one in 16,384 lies beyond, at 3.8 standard deviations.
        normal=np.array([round(normal.inv_cdf(min(max(i / 4096, 2**-14), 1 - 2**-14)) * 2**Q) for i in range(4097)]),
        head_text=_texts(f"{city.name},POINT (" for city in CITIES),
        tail_text=_texts(f",{name}\n" for _, name in streams),
        degree_text=_texts(f"{sign}{degrees}." for sign in ("", "-") for degrees in range(181)),
        digits_text=_texts(f"{number:04}" for number in range(10_000)),
        day_text=_texts(f"{FIRST_DAY + timedelta(days=day)} " for day in days),
        time_text=_texts(f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)),
    )


def _slots(weights: Sequence[float], bits: int) -> Integers:
    """Return 2**bits indexes of weights, each as often as its weight says, so that random bits pick fairly."""
    ends = np.cumsum(weights)
    # Half a slot on, so that a boundary between two weights is no tie.
    slots: Integers = np.searchsorted(ends, (np.arange(2**bits) + 0.5) * (ends[-1] / 2**bits)).astype(np.uint16)
    return slots


def _share(city: City, datasource: str) -> float:
    return city.share * city.datasources[datasource] / sum(city.datasources.values())


def _by_quarter(hours: Sequence[int]) -> list[int]:
    return [hours[q // 4] * (4 - q % 4) + hours[(q // 4 + 1) % 24] * (q % 4) for q in range(96)]


def _period(hour: int, weekend: bool) -> int:
    if weekend:
        return WEEKEND
    return MORNING if 6 <= hour < 10 else MIDDAY if 10 <= hour < 15 else EVENING if 15 <= hour < 20 else NIGHT


def _origins(city: int, period: int, spots: Sequence[Spot]) -> Integers:
    return _slots([kind.origin[period] if at == city else 0 for at, kind, _, _ in spots], 12)


def _destinations(origin: Spot, period: int, spots: Sequence[Spot]) -> Integers:
    """Return slots of the spots that a trip from `origin` goes to, all of its city.

    A gravity model (Casey, "Applications to traffic engineering of the law of retail gravitation", 1955): the pull
    over the square of the distance, which REACH_METRES keeps finite.
    """

    def pull(spot: Spot) -> float:
        city, kind, lon, lat = spot
        if city != origin[0]:
            return 0
        east, north = _metre(CITIES[city])
        metres = math.hypot((lon - origin[2]) * DEGREE / east, (lat - origin[3]) * DEGREE / north)
        return kind.destination[period] / (1 + (metres / REACH_METRES) ** 2)

    return _slots([pull(spot) for spot in spots], 12)


def _metre(city: City) -> tuple[int, int]:
    """Return a metre eastward and northward, in units, at a city's first spot, on a sphere (IUGG mean radius R1)."""
    north = DEGREE / METRES_PER_DEGREE
    return round(north / math.cos(math.radians(city.spots[0][2]))), round(north)


def _errand_metres(quantile: float) -> int:
    """Return a quantile of the log-normal distribution with median ERRAND_METRES, at most ERRAND_LIMIT_METRES."""
    return min(round(ERRAND_METRES * math.exp(ERRAND_SIGMA * NormalDist().inv_cdf(quantile))), ERRAND_LIMIT_METRES)


def _texts(texts: Iterable[str]) -> NDArray[np.bytes_]:
    return np.array([text.encode() for text in texts])
