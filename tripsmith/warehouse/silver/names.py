"""Regions and data sources: trimmed, compared without case, shown as first seen."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from psycopg import Connection

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "silver.sql")

# Case-folded, each of these may be 6 bytes, and an index takes 2,704. trips_careful.sql tells those that are longer.
MAX_NAME_CHARACTERS = 400


def name_key(name: str) -> str:
    """Return what two spellings of the same name have in common; '' when there is no name.

    Python's casefold, not the server's lower(): that one depends on the locale of the database.
    """
    return " ".join(name.split()).casefold()


def add_names(connection: Connection[Any], kind: str, spellings: Iterable[str]) -> bool:
    """Give each spelling of a `region` or `datasource` a number; tell whether there was any to give.

    The first spelling of a name is the one shown. Over-long ones get no number. It commits at once, so that two lanes
    never wait for one another's chunks.
    """
    named = [
        {"key": key, "name": spelling.strip(), "spelling": spelling}
        for spelling in spellings
        if len(spelling) <= MAX_NAME_CHARACTERS and (key := name_key(spelling))
    ]
    named.sort(key=itemgetter("key"))  # the same order in all lanes, or two would wait for each other crosswise
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(QUERIES[f"add_{kind}"], named)
    return bool(named)
