"""Gold from silver: chunks counted as they come, and added up when their ingestion is published."""

from typing import Any

from psycopg import Connection, sql

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "gold.sql")

TABLES = ("trip_group", "region_week")


def gold_partition(name: str, lot: int) -> sql.Identifier:
    """The part of a gold table that holds one lot."""
    return sql.Identifier("gold", f"{name}_{lot}")


def parts(name: str, lot: int) -> sql.Identifier:
    """The counts of an unpublished lot's chunks."""
    return sql.Identifier("gold", f"{name}_parts_{lot}")


def create_parts(connection: Connection[Any], lot: int) -> None:
    """Make the tables that the counts of a lot's chunks go to."""
    for name in TABLES:
        connection.execute(sql.SQL(QUERIES[f"make_{name}_parts"]).format(parts=parts(name, lot)))


def count_piece(connection: Connection[Any], lot: int, trips: sql.Composable) -> None:
    """Count the trips of one chunk, within the transaction that makes them."""
    for name in TABLES:
        connection.execute(sql.SQL(QUERIES[f"count_{name}"]).format(parts=parts(name, lot), trips=trips))


def make_gold(connection: Connection[Any], lot: int) -> None:
    """Add up the counts of all chunks of a lot, into tables that are yet to be attached."""
    for name in TABLES:
        names = {"gold": gold_partition(name, lot), "parts": parts(name, lot), "lot": sql.Literal(lot)}
        for query in (f"make_{name}", "promise_lot", "drop_parts"):
            connection.execute(sql.SQL(QUERIES[query]).format(**names))


def add_shared(connection: Connection[Any], ingestion_id: int) -> None:
    """Add a small ingestion's trips to the gold of the shared lot."""
    connection.execute(QUERIES["lock_shared_lot"])
    for query in ("add_trip_groups", "add_region_weeks"):
        connection.execute(QUERIES[query], {"ingestion_id": ingestion_id})


def subtract_shared(connection: Connection[Any], ingestion_id: int) -> None:
    """Take a small ingestion's trips, still in silver, out of the gold of the shared lot."""
    connection.execute(QUERIES["lock_shared_lot"])
    for query in ("subtract_trip_groups", "drop_empty_trip_groups", "subtract_region_weeks"):
        connection.execute(QUERIES[query], {"ingestion_id": ingestion_id})
