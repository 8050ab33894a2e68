"""The numbers of regions and data sources: one for all spellings of a name, which is shown as first seen."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from psycopg import Connection

from tripsmith.names import clean, is_missing, name_key, unwrapped
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "silver.sql")

# Case-folded, each of these may be 6 bytes, and an index takes 2,704. trips_careful.sql rejects those that are longer.
MAX_NAME_CHARACTERS = 400


def add_names(connection: Connection[Any], kind: str, spellings: Iterable[str]) -> bool:
    """Give each spelling of a `region` or `datasource` a number; tell whether there was any to give.

    The first spelling of a name is the one shown, cleaned. Over-long ones get no number, nor does what stands for no
    value, such as NULL. It commits at once, so that two lanes never wait for one another's chunks.
    """
    named = [
        {"key": name_key(name), "name": clean(name), "spelling": spelling}
        for name, spelling in ((unwrapped(spelling), spelling) for spelling in spellings)
        if len(spelling) <= MAX_NAME_CHARACTERS and not is_missing(name)
    ]
    named.sort(key=itemgetter("key"))  # the same order in all lanes, or two would wait for each other crosswise
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(QUERIES[f"add_{kind}"], named)
    return bool(named)
