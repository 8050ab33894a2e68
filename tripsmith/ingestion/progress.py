"""How far an ingestion is, told to everybody a few times a second."""

import time
from collections.abc import Callable
from typing import Any

from psycopg import Connection

from tripsmith.ingestion.chunk import StoredChunk
from tripsmith.ingestion.ingestion import Ingestion, Phase, get_ingestion
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.ingestion", "run.sql")

# Four changes a second reach a client: with this, a step of the ingestion among them need not wait for its turn.
INTERVAL_SECONDS = 0.4


class CancelledError(Exception):
    """Somebody asked for the ingestion to stop."""


class Progress:
    """Counts the chunks that are done and writes the sum to ops.ingestion, whose trigger tells the listeners."""

    def __init__(
        self,
        connection: Connection[Any],
        ingestion_id: int,
        done: StoredChunk,
        bytes_total: int,
        on_change: Callable[[Ingestion], None],
    ) -> None:
        self._connection = connection
        self._id = ingestion_id
        self._done = self._begun_at = done
        self._bytes_total = bytes_total
        self._on_change = on_change
        self._started = time.monotonic()
        self._told = 0.0
        self._phase: Phase = "bronze"

    def add(self, chunk: StoredChunk) -> None:
        """Count a chunk that is done."""
        done = self._done
        self._done = StoredChunk(
            done.source_bytes + chunk.source_bytes,
            done.rows_read + chunk.rows_read,
            done.rows_loaded + chunk.rows_loaded,
            done.rows_rejected + chunk.rows_rejected,
        )

    def enter(self, phase: Phase) -> None:
        """Name the earliest layer that is not complete, and tell at once."""
        if phase != self._phase:
            self._phase = phase
            self.tell()

    def tell_in_time(self) -> None:
        """Tell, unless that was done just before."""
        if time.monotonic() - self._told >= INTERVAL_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Write the present state; raise CancelledError if somebody asked for the ingestion to stop."""
        self._told = time.monotonic()
        elapsed = self._told - self._started
        rows = self._done.rows_read - self._begun_at.rows_read
        read = self._done.source_bytes - self._begun_at.source_bytes
        remaining = self._bytes_total - self._done.source_bytes
        parameters = {
            "id": self._id,
            "phase": self._phase,
            "bytes_done": min(self._done.source_bytes, self._bytes_total),
            "rows_read": self._done.rows_read,
            "rows_loaded": self._done.rows_loaded,
            "rows_rejected": self._done.rows_rejected,
            "rows_per_second": rows / elapsed if rows else None,
            "eta_seconds": remaining * elapsed / read if read and self._phase != "gold" else None,
        }
        row = self._connection.execute(QUERIES["tell"], parameters).fetchone()
        self._on_change(get_ingestion(self._connection, self._id))
        if row and row[0]:
            raise CancelledError
