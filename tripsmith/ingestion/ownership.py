"""Who works on an ingestion: whoever holds its advisory lock, for as long as the connection lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from tripsmith.ingestion.ingestion import QUERIES


@contextmanager
def claim(connection: Connection[Any], ingestion_id: int) -> Iterator[bool]:
    """Try to own an ingestion; yield whether nobody else does. A process that dies lets go by itself."""
    row = connection.execute(QUERIES["try_claim"], {"id": ingestion_id}).fetchone()
    claimed = bool(row and row[0])
    try:
        yield claimed
    finally:
        if claimed and not connection.broken:
            connection.execute(QUERIES["release"], {"id": ingestion_id})
