"""One chunk's way through bronze and silver, in one transaction with the mark that it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import Connection

from tripsmith.sources.chunks import Chunk
from tripsmith.sources.records import Record, faults, split_records
from tripsmith.sources.stream import SourceError
from tripsmith.warehouse.bronze import table as bronze
from tripsmith.warehouse.database import Warehouse
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import SilverLoad

QUERIES = load_queries("tripsmith.ingestion", "chunk.sql")

# A table grows by up to 64 pages at once for each connection that writes to it; pages a lane left may be filled later.
_SPARE_PAGES = 256


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """What became of a chunk: rows read are rows loaded and rows rejected. `source_bytes` is its share of the file."""

    source_bytes: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int


def stored_chunks(connection: Connection[Any], ingestion_id: int) -> dict[int, bytes]:
    """Return the digests of the chunks that are done, by number."""
    rows = connection.execute(QUERIES["list_chunks"], {"ingestion_id": ingestion_id})
    return {number: bytes(digest) for number, digest in rows}


def total(connection: Connection[Any], ingestion_id: int) -> StoredChunk:
    """Return the sum of the chunks that are done."""
    row = connection.execute(QUERIES["sum_chunks"], {"ingestion_id": ingestion_id}).fetchone()
    return StoredChunk(*(row or (0, 0, 0, 0)))


class Lane:
    """A connection that takes one chunk at a time through bronze and silver; several lanes work side by side."""

    def __init__(self, warehouse: Warehouse, load: SilverLoad) -> None:
        self.connection = warehouse.connect()
        self._names = warehouse.connect()
        self._load = load
        bronze.prepare_connection(self.connection, load.ingestion_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.connection.close()
        self._names.close()

    def store(self, chunk: Chunk, on_copied: Callable[[], None] = lambda: None) -> StoredChunk:
        """Store a chunk's rows in bronze and silver with its mark; `on_copied` is called between the two.

        A chunk that is marked already stays as it is; where another process is at it, this waits to see how that ends.
        """
        load = self._load
        with self.connection.transaction():
            if not self._mark(chunk):
                on_copied()
                return self._stored(chunk)
            first_page = bronze.page_count(self.connection, load.bronze, load.lot)
            rows, malformed = self._copy(chunk)
            on_copied()
            loaded = rows and load.load(
                self.connection,
                self._names,
                range(chunk.first_line, chunk.first_line + chunk.lines),
                rows,
                max(0, first_page - _SPARE_PAGES),
            )
            stored = StoredChunk(chunk.source_bytes, rows + malformed, loaded, rows - loaded + malformed)
            self._complete(chunk, stored)
        return stored

    def _mark(self, chunk: Chunk) -> bool:
        parameters = {
            "ingestion_id": self._load.ingestion_id,
            "number": chunk.number,
            "byte_offset": chunk.offset,
            "byte_length": len(chunk.data),
            "source_bytes": chunk.source_bytes,
            "first_line": chunk.first_line,
            "digest": chunk.digest,
        }
        return self.connection.execute(QUERIES["mark_chunk"], parameters).rowcount == 1

    def _stored(self, chunk: Chunk) -> StoredChunk:
        parameters = {"ingestion_id": self._load.ingestion_id, "number": chunk.number}
        row = self.connection.execute(QUERIES["get_chunk"], parameters).fetchone()
        if row is None or bytes(row[0]) != chunk.digest:
            raise different_file(chunk)
        return StoredChunk(*row[1:])

    def _complete(self, chunk: Chunk, stored: StoredChunk) -> None:
        parameters = {
            "ingestion_id": self._load.ingestion_id,
            "number": chunk.number,
            "rows_read": stored.rows_read,
            "rows_loaded": stored.rows_loaded,
            "rows_rejected": stored.rows_rejected,
        }
        self.connection.execute(QUERIES["complete_chunk"], parameters)

    def _copy(self, chunk: Chunk) -> tuple[int, int]:
        """Copy a chunk into bronze; return the rows stored there and those that fit no table."""
        load, delimiter = self._load, self._load.layout.delimiter
        if chunk.is_one_record_a_line:
            try:
                with self.connection.transaction() as attempt:
                    rows = bronze.copy_lines(
                        self.connection, load.bronze, load.lot, delimiter, chunk.data, chunk.first_line
                    )
                    if rows == chunk.lines:
                        return rows, 0
                    raise psycopg.Rollback(attempt)
            except psycopg.DataError:
                pass
        good: list[Record] = []
        malformed: list[tuple[int, int, bytes, list[str]]] = []
        for record in split_records(chunk.data, chunk.first_line):
            reasons = faults(record, len(load.bronze.columns), delimiter)
            if reasons:
                malformed.append((load.ingestion_id, record.line, record.raw, reasons))
            else:
                good.append(record)
        if good and bronze.copy_records(self.connection, load.bronze, load.lot, delimiter, good) != len(good):
            raise RuntimeError(f"PostgreSQL stored another number of rows than were cut from line {chunk.first_line} on.")
        if malformed:
            with self.connection.cursor() as cursor:
                cursor.executemany(QUERIES["insert_malformed"], malformed)
        return len(good), len(malformed)


def different_file(chunk: Chunk) -> SourceError:
    """Return the error for a file that is not the one whose chunks are in the warehouse."""
    return SourceError(
        f"The file differs from the one that was begun, from line {chunk.first_line} on; remove the ingestion and send"
        " the file again."
    )
