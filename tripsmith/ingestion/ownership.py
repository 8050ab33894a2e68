"""Who works on an ingestion: whoever holds its advisory lock, for as long as the connection lives."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from tripsmith.ingestion.ingestion import QUERIES

_AGAIN_SECONDS = 0.02


@contextmanager
def claim(connection: Connection[Any], ingestion_id: int, patience_seconds: float = 0) -> Iterator[bool]:
    """Try to own an ingestion, for a while; yield whether nobody else does. A process that dies lets go by itself."""
    deadline = time.monotonic() + patience_seconds
    while not (claimed := _try(connection, ingestion_id)) and time.monotonic() < deadline:
        time.sleep(_AGAIN_SECONDS)
    try:
        yield claimed
    finally:
        if claimed and not connection.broken:
            connection.execute(QUERIES["release"], {"id": ingestion_id})


def _try(connection: Connection[Any], ingestion_id: int) -> bool:
    row = connection.execute(QUERIES["try_claim"], {"id": ingestion_id}).fetchone()
    return bool(row and row[0])
