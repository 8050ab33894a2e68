"""A segment: gold's part that tells trips by place, of one large ingestion or of many small ones.

It is made after the ingestion has succeeded, as that takes twice as long; until then silver answers for it.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

from psycopg import Connection, sql

from tripsmith.warehouse.database import Warehouse
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "segment.sql")

End = Literal["origin", "destination"]
ENDS: tuple[End, End] = ("origin", "destination")

# Zooms at which trips are counted by week, coarsest first. Each is asked about the edge of an area only.
WEEK_ZOOMS = (7, 11, 13, 15)
# Zoom at which the trips themselves are kept, in cells of 600 m at the equator.
TRIP_ZOOM = 16
# Zooms at which they are counted by hour.
HOUR_ZOOMS = (7, 11, 13)

TABLES = (
    *(f"{end}_{kind}" for end in ENDS for kind in ("week", "hour", "trip")),
    "region_hour",
    "trip_length",
)

# How its connections call themselves, for whoever has to interrupt them.
APPLICATION_NAME = "tripsmith segment"

Hold = Callable[[Connection[Any]], None]


def make_segment(warehouse: Warehouse, batches: Sequence[sql.Composable], hold: Hold) -> int:
    """Make the tables of a new segment, which nobody sees before `publish`; return its number.

    A batch is a query on silver that yields trips with all of their columns; one batch is sorted at once. `hold` is
    called at the start of each transaction, to see to it that these trips stay as they are. Works on two connections.
    Whatever fails, the tables made so far are dropped.
    """
    segment: int
    with warehouse.connect() as connection:
        [(segment,)] = connection.execute(QUERIES["add_segment"])
    try:
        with ThreadPoolExecutor(len(ENDS), thread_name_prefix="segment") as pool:
            for _ in pool.map(lambda end: _make_end(warehouse, segment, end, batches, hold), ENDS):
                pass
    except BaseException:
        with warehouse.connect() as connection:
            drop_segment(connection, segment)
        raise
    return segment


def publish(connection: Connection[Any], segment: int) -> None:
    """Let a segment be seen, within the caller's transaction."""
    for name in TABLES:
        connection.execute(_query("attach", segment, name))


def drop_segment(connection: Connection[Any], segment: int) -> None:
    """Drop a segment, seen or not; its ingestions have none then."""
    with connection.transaction():
        for name in TABLES:
            connection.execute(_query("drop_table", segment, name))
        connection.execute(QUERIES["delete_segment"], {"id": segment})


def _make_end(warehouse: Warehouse, segment: int, end: End, batches: Sequence[sql.Composable], hold: Hold) -> None:
    """Make the tables of one end, and one of the two that have none."""
    other = ENDS[1 - ENDS.index(end)]
    columns = {
        "end_tile": sql.Identifier(f"{end}_tile"),
        "end_longitude": sql.Identifier(f"{end}_longitude"),
        "end_latitude": sql.Identifier(f"{end}_latitude"),
        "other_longitude": sql.Identifier(f"{other}_longitude"),
        "other_latitude": sql.Identifier(f"{other}_latitude"),
        "parent_zoom": sql.Literal(WEEK_ZOOMS[-1]),
        "zoom": sql.Literal(TRIP_ZOOM),
    }
    week_zooms = {"parent_zoom": sql.Literal(WEEK_ZOOMS[-2]), "zoom": sql.Literal(WEEK_ZOOMS[-1])}
    hour_zooms = {"parent_zoom": sql.Literal(HOUR_ZOOMS[-2]), "zoom": sql.Literal(HOUR_ZOOMS[-1])}
    with warehouse.connect() as connection:
        connection.execute(QUERIES["call_connection"], {"name": APPLICATION_NAME})
        with _table(connection, segment, f"{end}_trip", hold, hashed=False) as fill:
            for batch in batches:
                fill("pack_trips", trips=batch, **columns)
            fill("index_trips")
        with _table(connection, segment, f"{end}_week", hold) as fill:
            for batch in batches:
                fill("count_weeks", trips=batch, **columns | week_zooms)
            for zooms in _steps_up(WEEK_ZOOMS):
                fill("coarsen_weeks", **zooms)
            fill("index_cells")
        with _table(connection, segment, f"{end}_hour", hold) as fill:
            for batch in batches:
                fill("count_cell_hours", trips=batch, **columns | hour_zooms)
            for zooms in _steps_up(HOUR_ZOOMS):
                fill("coarsen_hours", **zooms)
            fill("index_cells")
        name, query = ("region_hour", "count_hours") if end == "origin" else ("trip_length", "count_lengths")
        with _table(connection, segment, name, hold) as fill:
            for batch in batches:
                fill(query, trips=batch)


def _steps_up(zooms: Sequence[int]) -> Iterator[dict[str, sql.Composable]]:
    """Yield what is in the queries that count a coarser zoom from the next finer one, finest first."""
    for number in range(len(zooms) - 1, 0, -1):
        coarser = zooms[number - 2] if number > 1 else 0
        yield {
            "finer_zoom": sql.Literal(zooms[number]),
            "zoom": sql.Literal(zooms[number - 1]),
            "parent_zoom": sql.Literal(coarser),
        }


@contextmanager
def _table(
    connection: Connection[Any], segment: int, name: str, hold: Hold, *, hashed: bool = True
) -> Iterator[Callable[..., None]]:
    """Make a segment's table; yield how a query is run on it."""

    def run(query: str, **names: sql.Composable) -> None:
        connection.execute(_query(query, segment, name, **names))

    # One transaction: a table filled where it was made needs no write-ahead log.
    with connection.transaction():
        hold(connection)
        connection.execute(QUERIES["use_memory"], {"hashed": "on" if hashed else "off"})
        run("make_table")
        yield run
        run("promise_segment")
        run("analyze")


def _query(query: str, segment: int, name: str, **names: sql.Composable) -> sql.Composed:
    return sql.SQL(QUERIES[query]).format(
        table=sql.Identifier("gold", f"{name}_{segment}"),
        parent=sql.Identifier("gold", name),
        segment=sql.Literal(segment),
        **names,
    )
