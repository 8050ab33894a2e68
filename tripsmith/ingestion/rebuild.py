"""Silver and gold made anew from bronze, an ingestion at a time; answers go on from the old until its new is there."""

from collections.abc import Iterator
from typing import Any, Literal

from psycopg import Connection, sql

from tripsmith.ingestion.chunk import lines as chunk_lines
from tripsmith.ingestion.chunk import total as total_chunks
from tripsmith.ingestion.indexing import interrupt, leave_segment
from tripsmith.ingestion.ingestion import Ingestion, IngestionConflictError, get_ingestion
from tripsmith.ingestion.notes import settle_mark_notes
from tripsmith.ingestion.outcome import describe_outcome
from tripsmith.ingestion.ownership import claim
from tripsmith.sources.formats import FORMATS
from tripsmith.sources.header import Layout
from tripsmith.warehouse import lot
from tripsmith.warehouse.bronze.table import SHARED, BronzeTable, prepare_connection, reject_malformed
from tripsmith.warehouse.database import Warehouse
from tripsmith.warehouse.gold import count as gold
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import SilverLoad
from tripsmith.warehouse.silver.trip_sample import delete_sample, take_sample

QUERIES = load_queries("tripsmith.ingestion", "rebuild.sql")

Layer = Literal["silver", "gold"]
LAYERS: tuple[Layer, ...] = ("silver", "gold")


def rebuild(warehouse: Warehouse, layer: Layer) -> Iterator[Ingestion]:
    """Make a layer anew, silver with the gold above it; yield each ingestion when its rows are replaced.

    Raises IngestionConflictError where another process is at an ingestion; those before it are done, and it can be
    asked for again.
    """
    with warehouse.connect() as connection:
        if layer == "gold":
            _rebuild_shared_gold(connection)
        loads = _list_loads(connection)
    for load in loads:
        with warehouse.connect() as connection:
            if _rebuild_one(warehouse, connection, load, layer):
                yield get_ingestion(connection, load.ingestion_id)


def _rebuild_shared_gold(connection: Connection[Any]) -> None:
    with connection.transaction():
        gold.clear_shared(connection)
        # Listed under the lock that clearing takes, so that none is missed that ended just before.
        for load in _list_loads(connection):
            if load.lot == SHARED:
                gold.add_shared(connection, load.ingestion_id)


def _rebuild_one(warehouse: Warehouse, connection: Connection[Any], load: SilverLoad, layer: Layer) -> bool:
    """Replace an ingestion's rows in one transaction; return False when it was removed meanwhile."""
    with claim(connection, load.ingestion_id) as claimed:
        if not claimed:
            raise IngestionConflictError(
                f"Ingestion {load.ingestion_id} is being worked on; rebuild again when that is done."
            )
        interrupt(connection)
        with connection.transaction():
            if connection.execute(QUERIES["lock_ingestion"], {"id": load.ingestion_id}).fetchone() is None:
                return False
            leave_segment(connection, load.ingestion_id)
            chunks = chunk_lines(connection, load.ingestion_id)
            if layer == "silver":
                _fill_silver(warehouse, connection, load, chunks)
                settle_mark_notes(connection, load.ingestion_id)
                _recount(connection, load.ingestion_id)
            if load.lot != SHARED:
                lot.replace(connection, load.lot, chunks, with_silver=layer == "silver")
            elif layer == "silver":
                gold.add_shared(connection, load.ingestion_id)
    return True


def _fill_silver(warehouse: Warehouse, connection: Connection[Any], load: SilverLoad, chunks: list[range]) -> None:
    prepare_connection(connection, load.ingestion_id)
    if load.lot == SHARED:
        lot.delete_shared_trips(connection, load.ingestion_id)
    for query in ("remember_rejected_rows", "forget_rejected_rows", "forget_marks"):
        connection.execute(QUERIES[query], {"id": load.ingestion_id})
    reject_malformed(connection, load.ingestion_id)
    trips = 0
    for lines in chunks:
        loaded = load.load(connection, warehouse, lines, _count_bronze(connection, load, lines))
        parameters = {"id": load.ingestion_id, "first_line": lines.start, "rows_loaded": loaded}
        connection.execute(QUERIES["recount_chunk"], parameters)
        trips += loaded
    delete_sample(connection, load.ingestion_id)
    take_sample(connection, load.ingestion_id, load.lot, chunks, trips, load.suffix)
    connection.execute(QUERIES["restore_records"], {"id": load.ingestion_id})


def _recount(connection: Connection[Any], ingestion_id: int) -> None:
    done = total_chunks(connection, ingestion_id)
    parameters = {
        "id": ingestion_id,
        "rows_loaded": done.rows_loaded,
        "rows_rejected": done.rows_rejected,
        "message": describe_outcome(connection, ingestion_id, done.rows_loaded, done.rows_rejected),
    }
    connection.execute(QUERIES["recount_ingestion"], parameters)


def _count_bronze(connection: Connection[Any], load: SilverLoad, lines: range) -> int:
    statement = sql.SQL(QUERIES["count_bronze"]).format(bronze=load.bronze.piece(load.lot, lines), rows=load.rows)
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _list_loads(connection: Connection[Any]) -> list[SilverLoad]:
    """Return the ingestions whose rows are in bronze, oldest first, each with the options that it was given."""
    return [_load(*row) for row in connection.execute(QUERIES["list_rebuildable"]).fetchall()]


def _load(
    ingestion_id: int,
    lot_id: int,
    format_name: str,
    region: str | None,
    datasource: str | None,
    delimiter: str,
    header_id: int,
    table_name: str,
    column_names: list[str],
    header: list[str],
) -> SilverLoad:
    layout = Layout(FORMATS[format_name], delimiter.encode(), tuple(header), header_bytes=0, header_lines=0)
    table = BronzeTable(header_id, table_name, tuple(column_names))
    suffix = "" if lot_id == SHARED else lot.REBUILT
    return SilverLoad(layout, table, lot_id, ingestion_id, region, datasource, suffix)
