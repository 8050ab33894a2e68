"""Who works on an ingestion: whoever holds its advisory lock, for as long as the connection lives."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from tripsmith.ingestion.ingestion import QUERIES

_AGAIN_SECONDS = 0.02


# Kinds of work that only one process at a time may be at.
INGESTION, SEGMENT = "tripsmith.ingestion", "tripsmith.segment"


@contextmanager
def claim(
    connection: Connection[Any], number: int, patience_seconds: float = 0, *, kind: str = INGESTION
) -> Iterator[bool]:
    """Try to own the ingestion of a number, or the work of another kind, for a while; yield whether nobody else does.

    A process that dies lets go by itself.
    """
    lock = {"kind": kind, "number": number}
    deadline = time.monotonic() + patience_seconds
    while not (claimed := _try(connection, lock)) and time.monotonic() < deadline:
        time.sleep(_AGAIN_SECONDS)
    try:
        yield claimed
    finally:
        if claimed and not connection.broken:
            connection.execute(QUERIES["release"], lock)


def _try(connection: Connection[Any], lock: dict[str, Any]) -> bool:
    row = connection.execute(QUERIES["try_claim"], lock).fetchone()
    return bool(row and row[0])
