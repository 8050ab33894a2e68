"""Gold from silver: of a large ingestion by itself, of small ones added to what there is."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "gold.sql")

TABLES = ("trip_group", "region_week")


def gold_partition(name: str, lot: int, suffix: str = "") -> sql.Identifier:
    """The part of a gold table that holds one lot."""
    return sql.Identifier("gold", f"{name}_{lot}{suffix}")


def make_gold(connection: Connection[Any], lot: int, pieces: Sequence[sql.Identifier], suffix: str = "") -> None:
    """Group and count a large ingestion's trips, in these pieces of silver, into tables that are yet to be attached."""
    connection.execute(QUERIES["use_every_core"])
    for name in TABLES:
        keys = sql.SQL(" UNION ALL ").join(sql.SQL(QUERIES[f"{name}_keys"]).format(piece=piece) for piece in pieces)
        names = {"gold": gold_partition(name, lot, suffix), "lot": sql.Literal(lot), "keys": keys}
        for query in (f"make_{name}", "promise_lot"):
            connection.execute(sql.SQL(QUERIES[query]).format(**names))


def add_shared(connection: Connection[Any], ingestion_id: int) -> None:
    """Add a small ingestion's trips to the gold of the shared lot."""
    connection.execute(QUERIES["lock_shared_lot"])
    for query in ("add_trip_groups", "add_region_weeks"):
        connection.execute(QUERIES[query], {"ingestion_id": ingestion_id})


def clear_shared(connection: Connection[Any]) -> None:
    """Empty the gold of the shared lot, for all small ingestions to be added again."""
    connection.execute(QUERIES["lock_shared_lot"])
    for query in ("clear_trip_groups", "clear_region_weeks"):
        connection.execute(QUERIES[query])


def subtract_shared(connection: Connection[Any], ingestion_id: int) -> None:
    """Take a small ingestion's trips, still in silver, out of the gold of the shared lot."""
    connection.execute(QUERIES["lock_shared_lot"])
    for query in ("subtract_trip_groups", "drop_empty_trip_groups", "subtract_region_weeks"):
        connection.execute(QUERIES[query], {"ingestion_id": ingestion_id})
