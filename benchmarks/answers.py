"""How fast questions are answered, beside a full scan by PostgreSQL and by DuckDB of the same rows.

    python -m benchmarks.answers --rows 10000000

Boxes of six sizes, around trips and elsewhere, with what may narrow them; polygons; groups of three zooms. Every answer
that a peer gives as well has to be the same, to the trip. Prints the median and the 95th percentile in milliseconds,
and writes benchmarks/results/answers-<rows>.json and .png.
"""

import argparse
import math
import multiprocessing
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import psutil
from psycopg import Connection, sql

from benchmarks.chart import keep_results
from tripsmith.answers.days import count_days
from tripsmith.answers.grouping import GroupQuestion
from tripsmith.answers.places import Snapshot, snapshot
from tripsmith.answers.selection import Selection, find_names, parse_hours
from tripsmith.answers.span import monday
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.geometry.geojson import parse_polygon
from tripsmith.geometry.shape import BoundingBox, Polygon
from tripsmith.ingestion.follow import carry
from tripsmith.ingestion.indexing import make_next_segment
from tripsmith.ingestion.submission import submit
from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("benchmarks", "answers.sql")

# Kilometres from side to side: from a street to a country.
SIZES = (0.3, 1, 4, 20, 100, 800)
KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class Kind:
    """Questions of one kind."""

    name: str
    questions: list[Selection | GroupQuestion]


@dataclass
class Times:
    """Seconds that each peer took for the questions of one kind."""

    name: str
    own: list[float]
    scan: list[float]
    duck: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--questions", type=int, default=60, help="How many of each kind.")
    parser.add_argument("--compared", type=int, default=4, help="How many of each kind the peers are asked as well.")
    parser.add_argument("--dir", type=Path, help="Where the file and the databases are made (a new folder by default).")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-bench-", dir=arguments.dir))
    folder.chmod(0o755)
    try:
        report = measure(folder, arguments.rows, arguments.questions, arguments.compared)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_report(report)


def measure(folder: Path, rows: int, questions: int, compared: int) -> dict[str, Any]:
    """Make the warehouse, ask everything; return all figures."""
    source = folder / "trips.csv"
    tell(f"making {rows:,} trips")
    with source.open("wb") as file:
        write_sample(file, rows)
    with open_warehouse(Settings(data_dir=folder / "data")) as warehouse:
        started = time.monotonic()
        with warehouse.connect() as connection:
            sent = submit(connection, source, source.name)
        carry(warehouse, int(sent.ingestion.id), lambda _: None)
        ingested = time.monotonic() - started
        tell(f"ingested in {ingested:.1f} s")
        started = time.monotonic()
        while make_next_segment(warehouse, few=1):
            pass
        indexed = time.monotonic() - started
        tell(f"indexed in {indexed:.1f} s")
        duck = load_duckdb(folder, source)
        source.unlink()
        with warehouse.connect() as connection:
            kinds = make_kinds(connection, rows, questions)
            times = [ask(connection, duck, kind, compared) for kind in kinds]
        duck.close()
        clients = throughput(warehouse, kinds)
        sizes = gold_sizes(warehouse)
    return {
        "rows": rows,
        "machine": f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f} GB, {platform.machine()}",
        "load": os.getloadavg()[0],
        "ingested_seconds": ingested,
        "indexed_seconds": indexed,
        "gold_mb": sizes,
        "answers_a_second_8_clients": clients,
        "kinds": [summary(each) for each in times],
    }


def tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def load_duckdb(folder: Path, source: Path) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect(str(folder / "trips.duckdb"), config={"threads": os.cpu_count() or 1})
    duck.execute(QUERIES["load"].replace("{source}", str(source)))
    tell("loaded into DuckDB")
    return duck


def make_kinds(connection: Connection[Any], trips: int, number: int) -> list[Kind]:
    """Return the questions, the same for the same trips."""
    chance = random.Random(5)
    percent = min(100.0, 4_000_000 / trips)
    rows = connection.execute(
        "SELECT origin_longitude, origin_latitude FROM silver.trip TABLESAMPLE SYSTEM (%s) LIMIT 20000", [percent]
    ).fetchall()
    regions = [name for (name,) in connection.execute("SELECT name FROM silver.region ORDER BY name")]
    kinds = []
    for size in SIZES:
        boxes = [box_around(chance.choice(rows), size) for _ in range(number)]
        kinds.append(Kind(f"box of {size:g} km", [Selection(shape=box) for box in boxes]))
    city = [box_around(chance.choice(rows), 4) for _ in range(number)]
    countries = [box_around(chance.choice(rows), 800) for _ in range(number)]
    empty = [box_around((chance.uniform(-179, 179), chance.uniform(-80, 80)), 100) for _ in range(number)]
    kinds += [
        Kind("box of 100 km anywhere", [Selection(shape=box) for box in empty]),
        Kind("4 km, by destination", [Selection(shape=box, match="destination") for box in city]),
        Kind("4 km, of a region", [Selection(shape=box, region=chance.choice(regions)) for box in city]),
        Kind("4 km, March to June", [Selection(shape=b, start=date(2018, 3, 7), end=date(2018, 6, 14)) for b in city]),
        Kind("4 km, both ends", [Selection(shape=box, match="both") for box in city]),
        Kind("4 km, either end", [Selection(shape=box, match="either") for box in city]),
        Kind("4 km, hours 7-9", [Selection(shape=box, hours=parse_hours("7-9")) for box in city]),
        Kind("4 km, Monday to Friday", [Selection(shape=box, weekdays=frozenset(range(1, 6))) for box in city]),
        Kind("800 km, hours 7-9", [Selection(shape=box, hours=parse_hours("7-9")) for box in countries]),
        Kind("polygon of 4 km", [Selection(shape=star(chance, chance.choice(rows), 4)) for _ in range(number)]),
        Kind("polygon of 100 km", [Selection(shape=star(chance, chance.choice(rows), 100)) for _ in range(number)]),
        *(Kind(f"groups at zoom {zoom}", [GroupQuestion(zoom=zoom)] * max(5, number // 4)) for zoom in (9, 11, 13)),
        Kind(
            "groups of a region",
            [GroupQuestion(selection=Selection(region=chance.choice(regions))) for _ in range(max(5, number // 4))],
        ),
        Kind("groups of 4 km", [GroupQuestion(selection=Selection(shape=box)) for box in city[: max(5, number // 4)]]),
    ]
    return kinds


def box_around(point: tuple[float, ...], km: float) -> BoundingBox:
    half_y = km / KM_PER_DEGREE / 2
    half_x = half_y / max(0.05, math.cos(math.radians(point[1])))
    return BoundingBox(
        max(-180.0, point[0] - half_x),
        max(-90.0, point[1] - half_y),
        min(180.0, point[0] + half_x),
        min(90.0, point[1] + half_y),
    )


def star(chance: random.Random, point: tuple[float, ...], km: float) -> Polygon:
    """Return a polygon of 40 corners, some nearer to its middle than others."""
    ring = []
    for number in range(40):
        far, angle = km / KM_PER_DEGREE / 2 * chance.uniform(0.5, 1), 2 * math.pi * number / 40
        ring.append([point[0] + far * math.cos(angle), point[1] + far * math.sin(angle)])
    return parse_polygon({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})


def ask(connection: Connection[Any], duck: duckdb.DuckDBPyConnection, kind: Kind, compared: int) -> Times:
    """Put the questions of a kind to all; raise AssertionError where two differ."""
    times = Times(kind.name, [], [], [])
    for question in kind.questions[:2]:  # warm
        answer(connection, question)
    for number, question in enumerate(kind.questions):
        found, seconds = timed(lambda question=question: answer(connection, question))  # type: ignore[misc]
        times.own.append(seconds)
        if number >= compared:
            continue
        if isinstance(question, Selection):
            scanned, seconds = timed(lambda question=question: scan(connection, question))  # type: ignore[misc]
            times.scan.append(seconds)
            check(kind.name, "a scan", found, scanned)
        peer, seconds = timed(lambda question=question: ask_duckdb(duck, question))  # type: ignore[misc]
        times.duck.append(seconds)
        check(kind.name, "DuckDB", found, peer)
    line = summary(times)
    tell(f"{kind.name}: p50 {line['p50_ms']:.1f} ms, p95 {line['p95_ms']:.1f} ms, DuckDB {line['duckdb_ms']:.0f} ms")
    return times


def timed(ask_it: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    result = ask_it()
    return result, time.monotonic() - started


def check(kind: str, peer: str, own: Any, other: Any) -> None:
    assert own == other, f"{kind}: Tripsmith and {peer} differ:\n{own}\n{other}"


def answer(connection: Connection[Any], question: Selection | GroupQuestion) -> Any:
    """Return the weeks that have trips, or how many trips the first twenty groups have."""
    if isinstance(question, Selection):
        return [(week, trips) for week, trips in weekly_average(connection, question).series if trips]
    return [group.trips for group in trip_groups(connection, question, limit=20).groups]


def scan(connection: Connection[Any], question: Selection) -> list[tuple[date, int]]:
    """Return the same by a scan of silver with as many processes as the planner likes."""
    weeks: dict[date, int] = {}
    with snapshot(connection):
        everything = Snapshot([], sql.SQL("true"))
        days = count_days(connection, everything, question, find_names(connection, question))
    for day, trips in days.items():
        weeks[monday(day)] = weeks.get(monday(day), 0) + trips
    return sorted(weeks.items())


def ask_duckdb(duck: duckdb.DuckDBPyConnection, question: Selection | GroupQuestion) -> Any:
    if isinstance(question, Selection):
        return duck.execute(QUERIES["weeks"].replace("{where}", where(question))).fetchall()
    side = 1 << question.zoom
    query = QUERIES["groups"].replace("{scale}", repr(side / 360)).replace("{side}", str(side))
    query = query.replace("{where}", where(question.selection))
    return [row[-1] for row in duck.execute(query).fetchall()]


def where(selection: Selection) -> str:
    """Return a selection as a condition of DuckDB's."""
    parts = ["true"]
    if selection.region is not None:
        parts.append(f"region = '{selection.region}'")
    if selection.start is not None:
        parts.append(f"started_at >= '{selection.start}'")
    if selection.end is not None:
        parts.append(f"started_at < '{selection.end}'::date + 1")
    if not selection.every_hour:
        parts.append(f"hour(started_at) IN ({', '.join(map(str, sorted(selection.hours)))})")
    if len(selection.weekdays) < 7:
        parts.append(f"isodow(started_at) IN ({', '.join(map(str, sorted(selection.weekdays)))})")
    if selection.shape is not None:
        ends = {end: inside(selection.shape, end) for end in ("origin", "destination")}
        parts.append(
            {
                "both": f"({ends['origin']} AND {ends['destination']})",
                "either": f"({ends['origin']} OR {ends['destination']})",
            }.get(selection.match)
            or ends[selection.match]
        )
    return " AND ".join(parts)


def inside(shape: Any, end: str) -> str:
    box, x, y = shape.bounds(), f"{end}_longitude", f"{end}_latitude"
    bounds = f"{x} BETWEEN {box.west!r} AND {box.east!r} AND {y} BETWEEN {box.south!r} AND {box.north!r}"
    if not isinstance(shape, Polygon):
        return f"({bounds})"
    # By the number of sides that a ray to the east crosses; points on a side do not occur among these trips.
    crossings = [
        f"(({y1!r} > {y}) <> ({y2!r} > {y})"
        f" AND {x} < ({x2!r} - {x1!r}) * ({y} - {y1!r}) / ({y2!r} - {y1!r}) + {x1!r})::int"
        for (x1, y1), (x2, y2) in sides(shape)
    ]
    return f"({bounds} AND ({' + '.join(crossings)}) % 2 = 1)"


def sides(shape: Polygon) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    for polygon in shape.geometry.geoms:
        corners = list(polygon.exterior.coords)
        yield from pairwise((corner[0], corner[1]) for corner in corners)


def throughput(warehouse: Warehouse, kinds: list[Kind], clients: int = 8, seconds: float = 10) -> float:
    """Return answers a second when so many clients ask at once, each for boxes of all sizes, one after the other."""
    boxes = [question for kind in kinds[: len(SIZES)] for question in kind.questions]
    with multiprocessing.get_context("spawn").Pool(clients) as pool:
        counts = pool.starmap(ask_for, [(warehouse.conninfo, boxes, number, seconds) for number in range(clients)])
    return sum(counts) / seconds


def ask_for(conninfo: str, questions: list[Selection], seed: int, seconds: float) -> int:
    chance, count = random.Random(seed), 0
    with Warehouse(conninfo).connect() as connection:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            weekly_average(connection, chance.choice(questions))
            count += 1
    return count


def gold_sizes(warehouse: Warehouse) -> dict[str, int]:
    """Return the megabytes of each table of gold."""
    query = (
        "SELECT regexp_replace(relname, '_\\d+$', ''), sum(pg_total_relation_size(oid))::bigint FROM pg_class"
        " WHERE relnamespace = 'gold'::regnamespace AND relkind = 'r' GROUP BY 1 ORDER BY 2 DESC"
    )
    with warehouse.connect() as connection:
        return {name: round(size / 1e6) for name, size in connection.execute(query)}


def summary(times: Times) -> dict[str, Any]:
    own = sorted(times.own)
    duck = statistics.median(times.duck) * 1000
    p95 = own[math.ceil(0.95 * len(own)) - 1] * 1000
    return {
        "name": times.name,
        "questions": len(own),
        "p50_ms": statistics.median(own) * 1000,
        "p95_ms": p95,
        "scan_ms": statistics.median(times.scan) * 1000 if times.scan else None,
        "duckdb_ms": duck,
        "duckdb_times_of_p95": duck / p95,
    }


def write_report(report: dict[str, Any]) -> None:
    """Print the table; write the JSON and the chart."""
    print(f"{report['rows']:,} trips, {report['machine']}")
    print(f"ingested in {report['ingested_seconds']:.1f} s, indexed in {report['indexed_seconds']:.1f} s more")
    print(f"8 clients at once get {report['answers_a_second_8_clients']:.0f} answers a second")
    print(f"gold, MB: {report['gold_mb']}")
    print(f"{'':<26}{'p50 ms':>9}{'p95 ms':>9}{'scan ms':>10}{'DuckDB ms':>11}{'DuckDB / p95':>14}")
    for kind in report["kinds"]:
        scanned = f"{kind['scan_ms']:,.0f}" if kind["scan_ms"] is not None else "-"
        print(
            f"{kind['name']:<26}{kind['p50_ms']:>9.1f}{kind['p95_ms']:>9.1f}{scanned:>10}{kind['duckdb_ms']:>11,.0f}"
            f"{kind['duckdb_times_of_p95']:>14.1f}"
        )
    keep_results(
        f"answers-{report['rows']}",
        report,
        f"95th percentile of answers, {report['rows']:,} trips ({report['machine']})",
        "milliseconds",
        [(kind["name"], kind["p95_ms"]) for kind in reversed(report["kinds"])],
    )


if __name__ == "__main__":
    main()
