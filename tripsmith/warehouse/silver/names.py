"""Regions and data sources: trimmed, compared without case, shown as first seen."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "silver.sql")


def name_key(name: str) -> str:
    """Return what two spellings of the same name have in common; '' when there is no name.

    Python's casefold, not the server's lower(): that one depends on the locale of the database.
    """
    return " ".join(name.split()).casefold()


def add_names(connection: Connection[Any], kind: str, spellings: Iterable[str]) -> bool:
    """Give each spelling of a `region` or `datasource` a number; tell whether there was any to give.

    It commits at once, so that two lanes never wait for one another's chunks.
    """
    added = False
    for spelling in sorted(spellings):
        key = name_key(spelling)
        if key:
            parameters = {"key": key, "name": spelling.strip(), "spelling": spelling}
            connection.execute(QUERIES[f"add_{kind}"], parameters)
            added = True
    return added
