"""A lot: the partitions in every layer that hold a large ingestion, or, for lot 0, all small ones.

A large ingestion fills tables that nobody sees; publishing attaches them to their layers. A small one is written to the
shared partitions in one transaction. Either way its rows are seen all at once or not at all.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql

from tripsmith.warehouse.bronze import table as bronze
from tripsmith.warehouse.bronze.table import SHARED, BronzePiece, BronzeTable
from tripsmith.warehouse.gold import count as gold
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import attach_piece, piece_name, piece_of

QUERIES = load_queries("tripsmith.warehouse", "lot.sql")

# Planning a query takes 20 ms at so many partitions, and 225 ms at ten times as many.
MAX_PIECES = 1000

# Ends the names of tables that are to take the place of others.
REBUILT = "_rebuilt"


def publish(connection: Connection[Any], table: BronzeTable, lot: int, chunks: Sequence[range]) -> int:
    """Make a large ingestion's gold and let all be seen, within the caller's transaction; return the lot it is in.

    `chunks` are the physical lines of each chunk. Its tables are attached, or, where there are too many already, poured
    into the shared lot, which takes longer to fill and to remove, but keeps the number of partitions bounded.
    """
    row = connection.execute(QUERIES["count_pieces"]).fetchone()
    if row and row[0] + len(chunks) > MAX_PIECES:
        _pour(connection, table, lot, chunks)
        return SHARED
    gold.make_gold(connection, lot, [piece_of(lot, lines) for lines in chunks])
    for lines in chunks:
        bronze.attach_piece(connection, BronzePiece(table, lot, lines))
        attach_piece(connection, lot, lines)
    _attach_gold(connection, lot)
    return lot


def _pour(connection: Connection[Any], table: BronzeTable, lot: int, chunks: Sequence[range]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    for lines in chunks:
        bronze_piece, silver_piece = table.piece(lot, lines), piece_of(lot, lines)
        names = {"shared": table.shared, "columns": columns, "piece": bronze_piece}
        connection.execute(sql.SQL(QUERIES["pour_bronze"]).format(**names))
        connection.execute(sql.SQL(QUERIES["pour_trips"]).format(piece=silver_piece))
        for piece in (bronze_piece, silver_piece):
            connection.execute(sql.SQL(QUERIES["drop"]).format(partition=piece))
    gold.add_shared(connection, lot)


def replace(connection: Connection[Any], lot: int, chunks: Sequence[range], *, with_silver: bool) -> None:
    """Make a large ingestion's gold anew and put it in the place of the old, within the caller's transaction.

    With silver, so with the pieces that bear the suffix REBUILT. Readers have the old ones until the very end.
    """
    suffix = REBUILT if with_silver else ""
    gold.make_gold(connection, lot, [piece_of(lot, lines, suffix) for lines in chunks], REBUILT)
    if with_silver:
        for lines in chunks:
            _take_place(connection, "silver", piece_name(lot, lines))
            attach_piece(connection, lot, lines)
    for name in gold.TABLES:
        _take_place(connection, "gold", f"{name}_{lot}")
    _attach_gold(connection, lot)


def _attach_gold(connection: Connection[Any], lot: int) -> None:
    for name in gold.TABLES:
        names = {"table": sql.Identifier("gold", name), "partition": gold.gold_partition(name, lot)}
        connection.execute(sql.SQL(QUERIES["attach"]).format(**names, lot=sql.Literal(lot)))


def _take_place(connection: Connection[Any], schema: str, name: str) -> None:
    """Drop a table and give its name to the rebuilt one."""
    connection.execute(sql.SQL(QUERIES["drop"]).format(partition=sql.Identifier(schema, name)))
    names = {"partition": sql.Identifier(schema, name + REBUILT), "name": sql.Identifier(name)}
    connection.execute(sql.SQL(QUERIES["rename"]).format(**names))


def drop(connection: Connection[Any], table: BronzeTable, lot: int, chunks: Sequence[range]) -> None:
    """Drop a large ingestion's tables in every layer, attached or not, within the caller's transaction."""
    partitions = [table.piece(lot, lines) for lines in chunks] + [piece_of(lot, lines) for lines in chunks]
    partitions += [gold.gold_partition(name, lot) for name in gold.TABLES]
    for partition in partitions:
        connection.execute(sql.SQL(QUERIES["drop"]).format(partition=partition))


def delete_shared(connection: Connection[Any], table: BronzeTable, ingestion_id: int) -> None:
    """Take a small ingestion out of the shared partitions of every layer, within the caller's transaction."""
    delete_shared_trips(connection, ingestion_id)
    bronze.delete_shared(connection, table, ingestion_id)


def withdraw_shared(connection: Connection[Any], table: BronzeTable, ingestion_id: int) -> None:
    """Take a small ingestion that gold has not seen yet out of bronze and silver, within the caller's transaction."""
    connection.execute(QUERIES["delete_trips"], {"ingestion_id": ingestion_id})
    bronze.delete_shared(connection, table, ingestion_id)


def delete_shared_trips(connection: Connection[Any], ingestion_id: int) -> None:
    """Take a small ingestion out of silver and gold; its bronze stays."""
    gold.subtract_shared(connection, ingestion_id)
    connection.execute(QUERIES["delete_trips"], {"ingestion_id": ingestion_id})
