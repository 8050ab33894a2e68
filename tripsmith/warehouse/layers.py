"""What lies in each layer."""

from typing import Any

from psycopg import Connection, sql

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.warehouse", "layers.sql")


def count_rows(connection: Connection[Any]) -> list[tuple[str, str, int]]:
    """Return layer, table and rows of every table of the three layers that a reader sees, in the way of the data."""
    counted = []
    for layer, table in connection.execute(QUERIES["list_tables"]).fetchall():
        query = sql.SQL(QUERIES["count_table"]).format(table=sql.Identifier(layer, table))
        row = connection.execute(query).fetchone()
        counted.append((layer, table, int(row[0]) if row else 0))
    return counted
