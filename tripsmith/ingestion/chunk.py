"""One chunk's way through bronze and silver, in one transaction with the mark that it is done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from tripsmith.sources.chunks import Chunk
from tripsmith.sources.records import QUOTE, Record, faults, split_records
from tripsmith.sources.stream import SourceError
from tripsmith.warehouse.bronze import table as bronze
from tripsmith.warehouse.bronze.table import BronzePiece
from tripsmith.warehouse.database import Warehouse
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import SilverLoad

QUERIES = load_queries("tripsmith.ingestion", "chunk.sql")


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """What became of a chunk: rows read are rows loaded and rows rejected. `source_bytes` is its share of the file."""

    source_bytes: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int


def stored_chunks(connection: Connection[Any], ingestion_id: int) -> dict[int, tuple[int, int]]:
    """Return offset and length of the chunks that are done, by number."""
    rows = connection.execute(QUERIES["list_chunks"], {"ingestion_id": ingestion_id})
    return {number: (offset, length) for number, offset, length in rows}


def lines(connection: Connection[Any], ingestion_id: int) -> list[range]:
    """Return the physical lines of each chunk that is done, in order."""
    rows = connection.execute(QUERIES["list_lines"], {"ingestion_id": ingestion_id})
    return [range(first, first + count) for first, count in rows]


def merge(connection: Connection[Any], ingestion_id: int) -> None:
    """Make one chunk of all that are done, when their tables were poured into the shared lot."""
    connection.execute(QUERIES["merge_chunks"], {"ingestion_id": ingestion_id})


def total(connection: Connection[Any], ingestion_id: int) -> StoredChunk:
    """Return the sum of the chunks that are done."""
    row = connection.execute(QUERIES["sum_chunks"], {"ingestion_id": ingestion_id}).fetchone()
    return StoredChunk(*(row or (0, 0, 0, 0)))


class Lane:
    """A connection that takes one chunk at a time through bronze and silver; several lanes work side by side."""

    def __init__(self, warehouse: Warehouse, load: SilverLoad) -> None:
        self.connection = warehouse.connect()
        self._warehouse = warehouse
        self._load = load
        bronze.prepare_connection(self.connection, load.ingestion_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.connection.close()

    def store(self, chunk: Chunk, on_copied: Callable[[], None] = lambda: None) -> StoredChunk:
        """Store a chunk's rows in bronze and silver with its mark; `on_copied` is called between the two.

        A chunk that is marked already stays as it is; where another process is at it, this waits to see how that ends.
        """
        load = self._load
        with self.connection.transaction():
            if not self._mark(chunk):
                on_copied()
                return self._stored(chunk)
            rows, malformed = self._copy(chunk)
            on_copied()
            loaded = load.load(self.connection, self._warehouse, chunk_lines(chunk), rows)
            if loaded < rows:
                self._keep_verbatim(chunk)
            stored = StoredChunk(chunk.source_bytes, rows + malformed, loaded, rows - loaded + malformed)
            self._complete(chunk, stored)
        return stored

    def _mark(self, chunk: Chunk) -> bool:
        parameters = {
            "ingestion_id": self._load.ingestion_id,
            "number": chunk.number,
            "byte_offset": chunk.offset,
            "byte_length": chunk.length,
            "source_bytes": chunk.source_bytes,
            "first_line": chunk.first_line,
            "lines": chunk.lines,
        }
        return self.connection.execute(QUERIES["mark_chunk"], parameters).rowcount == 1

    def _stored(self, chunk: Chunk) -> StoredChunk:
        parameters = {"ingestion_id": self._load.ingestion_id, "number": chunk.number}
        row = self.connection.execute(QUERIES["get_chunk"], parameters).fetchone()
        if row is None or row[:2] != (chunk.offset, chunk.length):
            raise different_file(chunk)
        return StoredChunk(*row[2:])

    def _complete(self, chunk: Chunk, stored: StoredChunk) -> None:
        parameters = {
            "ingestion_id": self._load.ingestion_id,
            "number": chunk.number,
            "rows_read": stored.rows_read,
            "rows_loaded": stored.rows_loaded,
            "rows_rejected": stored.rows_rejected,
            "facts": Jsonb({}),
        }
        self.connection.execute(QUERIES["complete_chunk"], parameters)

    def _keep_verbatim(self, chunk: Chunk) -> None:
        """Give rejected rows the bytes of the file: columns, which silver has, do not tell where quotes had no need."""
        if not any(QUOTE in block for block in chunk.blocks()):
            return
        ingestion_id, lines = self._load.ingestion_id, chunk_lines(chunk)
        parameters = {"ingestion_id": ingestion_id, "first": lines.start, "last": lines.stop - 1}
        rejected = {line for (line,) in self.connection.execute(QUERIES["list_rejected_lines"], parameters)}
        with self.connection.cursor() as cursor:
            cursor.executemany(
                QUERIES["keep_verbatim"],
                (
                    {"ingestion_id": ingestion_id, "line": record.line, "record": record.raw}
                    for record in split_records(chunk.blocks(), chunk.first_line)
                    if record.line in rejected
                ),
            )

    def _copy(self, chunk: Chunk) -> tuple[int, int]:
        """Copy a chunk into bronze; return the rows stored there and those that fit no table."""
        load, delimiter = self._load, self._load.layout.delimiter
        piece = BronzePiece(load.bronze, load.lot, chunk_lines(chunk))
        if chunk.is_one_record_a_line:
            try:
                with self.connection.transaction() as attempt:
                    rows = bronze.copy_lines(
                        self.connection, piece, delimiter, chunk.blocks(), is_unquoted=chunk.is_unquoted
                    )
                    if rows == chunk.lines:
                        return rows, 0
                    raise psycopg.Rollback(attempt)
            except psycopg.DataError:
                pass
        columns, malformed = len(load.bronze.columns), 0

        def fitting() -> Iterator[Record]:
            nonlocal malformed
            for record in split_records(chunk.blocks(), chunk.first_line):
                if faults(record, columns, delimiter):
                    malformed += 1
                else:
                    yield record

        rows = bronze.copy_records(self.connection, piece, delimiter, fitting())
        if malformed:
            judged = (
                (record, faults(record, columns, delimiter))
                for record in split_records(chunk.blocks(), chunk.first_line)
            )
            kept = bronze.keep_malformed(
                self.connection,
                load.ingestion_id,
                ((r, reasons) for r, reasons in judged if reasons),
                chunk_lines(chunk),
            )
            if kept != malformed:
                raise RuntimeError(
                    f"{malformed} records from line {chunk.first_line} on fit no table, and {kept} were kept."
                )
        return rows, malformed


def chunk_lines(chunk: Chunk) -> range:
    """Return the physical lines of a chunk."""
    return range(chunk.first_line, chunk.first_line + chunk.lines)


def different_file(chunk: Chunk) -> SourceError:
    """Return the error for a file that is not the one whose chunks are in the warehouse."""
    return SourceError(
        f"The file differs from the one that was begun, from line {chunk.first_line} on; remove the ingestion and send"
        " the file again."
    )
