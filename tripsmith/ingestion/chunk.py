"""One chunk's way through bronze and silver, in one transaction with the mark that it is done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from tripsmith.ingestion.notes import Facts, add_facts
from tripsmith.sources.chunks import Chunk
from tripsmith.sources.quotes import MARK, QUOTE, Quotes
from tripsmith.sources.records import Record, fit, marked, split_records
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
            copied = self._copy(chunk)
            on_copied()
            rows = copied.rows
            loaded = load.load(self.connection, self._warehouse, chunk_lines(chunk), rows)
            if loaded < rows:
                self._keep_verbatim(chunk, copied)
            read = rows + copied.malformed
            stored = StoredChunk(chunk.source_bytes, read, loaded, read - loaded)
            self._complete(chunk, stored, copied.facts)
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

    def _complete(self, chunk: Chunk, stored: StoredChunk, facts: Facts) -> None:
        parameters = {
            "ingestion_id": self._load.ingestion_id,
            "number": chunk.number,
            "rows_read": stored.rows_read,
            "rows_loaded": stored.rows_loaded,
            "rows_rejected": stored.rows_rejected,
            "facts": Jsonb(facts),
        }
        self.connection.execute(QUERIES["complete_chunk"], parameters)

    def _keep_verbatim(self, chunk: Chunk, copied: "_Copied") -> None:
        """Give rejected rows the bytes of the file: columns, which silver has, do not say where quotes had no need."""
        if chunk.quotes is Quotes.NONE and not copied.facts:
            return
        ingestion_id, lines = self._load.ingestion_id, chunk_lines(chunk)
        parameters = {"ingestion_id": ingestion_id, "first": lines.start, "last": lines.stop - 1}
        rejected = {line for (line,) in self.connection.execute(QUERIES["list_rejected_lines"], parameters)}
        with self.connection.cursor() as cursor:
            cursor.executemany(
                QUERIES["keep_verbatim"],
                (
                    {"ingestion_id": ingestion_id, "line": record.line, "record": record.raw}
                    for record in self._records(chunk)
                    if record.line in rejected
                ),
            )

    def _records(self, chunk: Chunk) -> Iterator[Record]:
        for line, blocks in chunk.members():
            yield from split_records(blocks, line, self._load.layout.dialect)

    def _copy(self, chunk: Chunk) -> "_Copied":
        """Copy a chunk into bronze, the fast way if each line is a record that fits."""
        load = self._load
        piece = BronzePiece(load.bronze, load.lot, chunk_lines(chunk))
        if chunk.is_one_record_a_line and not (chunk.has_mark and _needs_mark(chunk)):
            try:
                with self.connection.transaction() as attempt:
                    rows = self._copy_lines(chunk, piece)
                    if rows == chunk.lines:
                        return _Copied(rows, 0, {})
                    raise psycopg.Rollback(attempt)
            except psycopg.DataError:
                pass
        return self._copy_records(chunk, piece)

    def _copy_lines(self, chunk: Chunk, piece: BronzePiece) -> int:
        delimiter, blocks, quote = self._load.layout.delimiter, chunk.blocks(), QUOTE
        if _needs_mark(chunk):
            quote = MARK
            if chunk.quotes is Quotes.MIXED:
                blocks = marked(blocks, delimiter)
        is_text = chunk.is_plain and chunk.quotes in (Quotes.NONE, Quotes.LITERAL)
        return bronze.copy_lines(self.connection, piece, delimiter, blocks, quote=None if is_text else quote)

    def _copy_records(self, chunk: Chunk, piece: BronzePiece) -> "_Copied":
        """Copy record by record those that fit the table; keep the others, read once more, byte for byte."""
        load, dialect = self._load, self._load.layout.dialect
        copied = _Copied(0, 0, {})

        def fitting() -> Iterator[tuple[int, bytes]]:
            for record in self._records(chunk):
                row = fit(record, dialect)
                if row.reasons:
                    copied.malformed += 1
                    continue
                if row.has_extra:
                    add_facts(copied.facts, "extra_fields", record.line)
                if record.swallows:
                    add_facts(copied.facts, "lines_in_quotes", record.line, record.swallows)
                yield record.line, row.text

        copied.rows = bronze.copy_records(self.connection, piece, dialect.delimiter, fitting())
        if copied.malformed:
            judged = ((record, fit(record, dialect).reasons) for record in self._records(chunk))
            kept = bronze.keep_malformed(
                self.connection,
                load.ingestion_id,
                ((r, reasons) for r, reasons in judged if reasons),
                chunk_lines(chunk),
            )
            if kept != copied.malformed:
                raise RuntimeError(
                    f"{copied.malformed} records from line {chunk.first_line} on fit no table, and {kept} were kept."
                )
        return copied


@dataclass(slots=True)
class _Copied:
    """What copying a chunk gave: rows in bronze, records that fit no table, and what a note may be made of."""

    rows: int
    malformed: int
    facts: Facts


def _needs_mark(chunk: Chunk) -> bool:
    """Whether COPY has to take another byte for its quote, as not all of the chunk's quotes are quotes to us."""
    return chunk.quotes is Quotes.MIXED or (chunk.quotes is Quotes.LITERAL and not chunk.is_plain)


def chunk_lines(chunk: Chunk) -> range:
    """Return the physical lines of a chunk."""
    return range(chunk.first_line, chunk.first_line + chunk.lines)


def different_file(chunk: Chunk) -> SourceError:
    """Return the error for a file that is not the one whose chunks are in the warehouse."""
    return SourceError(
        f"The file differs from the one that was begun, from line {chunk.first_line} on; remove the ingestion and send"
        " the file again."
    )
