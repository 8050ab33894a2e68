"""A lot: the partition in every layer that holds a large ingestion, or, for lot 0, all small ones.

A large ingestion fills tables that nobody sees; publishing attaches them to their layers. A small one is written to the
shared partitions in one transaction. Either way its rows are seen all at once or not at all.
"""

from typing import Any

from psycopg import Connection, sql

from tripsmith.warehouse.bronze import table as bronze
from tripsmith.warehouse.bronze.table import BronzeTable
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import trip_partition

SHARED = 0

QUERIES = load_queries("tripsmith.warehouse", "lot.sql")
_GOLD = load_queries("tripsmith.warehouse.gold", "gold.sql")

_GOLD_TABLES = ("trip_group", "region_week")


def create(connection: Connection[Any], table: BronzeTable, lot: int) -> None:
    """Make the unseen bronze and silver tables of a large ingestion, unless they are there already."""
    with connection.transaction():
        for parent, partition in ((table.table, table.partition(lot)), (_TRIP, trip_partition(lot))):
            connection.execute(sql.SQL(QUERIES["create"]).format(table=parent, partition=partition))
        connection.execute(
            sql.SQL(bronze.QUERIES["set_defaults"]).format(partition=table.partition(lot), lot=sql.Literal(lot))
        )


def publish(connection: Connection[Any], table: BronzeTable, lot: int) -> None:
    """Make a large ingestion's gold and attach its tables, within the caller's transaction."""
    names = {name: _gold_partition(name, lot) for name in _GOLD_TABLES}
    for name in _GOLD_TABLES:
        connection.execute(
            sql.SQL(_GOLD[f"make_{name}"]).format(**names, trip=trip_partition(lot), lot=sql.Literal(lot))
        )
    for name in _GOLD_TABLES:
        _attach(connection, sql.Identifier("gold", name), names[name], lot, "lot")
    _attach(connection, _TRIP, trip_partition(lot), lot, "lot")
    _attach(connection, table.table, table.partition(lot), lot, "_lot")


def publish_shared(connection: Connection[Any], ingestion_id: int) -> None:
    """Add a small ingestion's trips to the gold of lot 0, within the transaction that wrote them to silver."""
    connection.execute(_GOLD["lock_shared_lot"])
    for query in ("add_trip_groups", "add_region_weeks"):
        connection.execute(_GOLD[query], {"ingestion_id": ingestion_id})


def drop(connection: Connection[Any], table: BronzeTable, lot: int) -> None:
    """Drop a large ingestion's tables in every layer, attached or not, within the caller's transaction."""
    partitions = [_gold_partition(name, lot) for name in _GOLD_TABLES]
    for partition in (*partitions, trip_partition(lot), table.partition(lot)):
        connection.execute(sql.SQL(QUERIES["drop"]).format(partition=partition))


def delete_shared(connection: Connection[Any], table: BronzeTable, ingestion_id: int) -> None:
    """Take a small ingestion out of the shared partitions of every layer, within the caller's transaction."""
    connection.execute(_GOLD["lock_shared_lot"])
    for query in ("subtract_trip_groups", "drop_empty_trip_groups", "subtract_region_weeks"):
        connection.execute(_GOLD[query], {"ingestion_id": ingestion_id})
    connection.execute(QUERIES["delete_trips"], {"ingestion_id": ingestion_id})
    connection.execute(
        sql.SQL(QUERIES["delete_bronze"]).format(partition=table.partition(SHARED), ingestion_id=sql.Literal(ingestion_id))
    )


_TRIP = sql.Identifier("silver", "trip")


def _gold_partition(name: str, lot: int) -> sql.Identifier:
    return sql.Identifier("gold", f"{name}_{lot}")


def _attach(
    connection: Connection[Any], table: sql.Identifier, partition: sql.Identifier, lot: int, column: str
) -> None:
    for query in ("promise_lot", "attach", "forget_promise"):
        connection.execute(
            sql.SQL(QUERIES[query]).format(
                table=table, partition=partition, lot=sql.Literal(lot), column=sql.Identifier(column)
            )
        )
