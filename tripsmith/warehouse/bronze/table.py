"""A bronze table: the files of one header, exactly as they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from tripsmith.sources.header import Layout
from tripsmith.sources.quotes import QUOTE
from tripsmith.sources.records import Record, join_lines
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "bronze.sql")

# The lot of all small ingestions.
SHARED = 0

_MAX_NAME_BYTES = 63
_SYSTEM_NAMES = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "_line", "_lot", "_ingestion_id"})


@dataclass(frozen=True, slots=True)
class BronzeTable:
    """The table of one header. `columns` are its column names, in the order of the file."""

    header_id: int
    name: str
    columns: tuple[str, ...]

    @property
    def table(self) -> sql.Identifier:
        """The whole table, all lots."""
        return sql.Identifier("bronze", self.name)

    @property
    def shared(self) -> sql.Identifier:
        """The part of it that small ingestions share."""
        return sql.Identifier("bronze", f"{self.name}_{SHARED}")

    def piece(self, lot: int, lines: range) -> sql.Identifier:
        """The part of it that holds one chunk: of the shared lot, that is the shared part."""
        return sql.Identifier("bronze", f"{self.name}_{lot}_{lines.start}") if lot != SHARED else self.shared


@dataclass(frozen=True, slots=True)
class BronzePiece:
    """Where one chunk, of these physical lines, lies in a table."""

    table: BronzeTable
    lot: int
    lines: range

    @property
    def names(self) -> dict[str, sql.Composable]:
        """What the queries on pieces have in braces."""
        return {
            "table": self.table.table,
            "partition": self.table.piece(self.lot, self.lines),
            "lot": sql.Literal(self.lot),
            "first": sql.Literal(self.lines.start),
            "stop": sql.Literal(self.lines.stop),
        }


def bronze_table(connection: Connection[Any], layout: Layout) -> BronzeTable:
    """Return the table of this layout's header, made if no file had it before."""
    with connection.transaction():
        connection.execute(QUERIES["lock_headers"])
        found = connection.execute(QUERIES["find_header"], {"columns": list(layout.columns)}).fetchone()
        if found is not None:
            return BronzeTable(found[0], found[1], tuple(found[2]))
        names = column_names(layout.columns)
        [(header_id,)] = connection.execute(
            QUERIES["insert_header"],
            {"columns": list(layout.columns), "column_names": names, "format": f"new {layout.format.name}"},
        )
        table = BronzeTable(header_id, f"{layout.format.name}_{header_id}", tuple(names))
        connection.execute(QUERIES["name_header"], {"id": header_id, "table_name": table.name})
        definitions = sql.SQL(",\n    ").join(
            sql.SQL("{} text NOT NULL").format(sql.Identifier(name)) for name in names
        )
        connection.execute(sql.SQL(QUERIES["create_table"]).format(table=table.table, column_definitions=definitions))
        shared = table.shared
        for query in ("create_shared_partition", "index_shared_partition", "set_shared_defaults"):
            connection.execute(
                sql.SQL(QUERIES[query]).format(table=table.table, partition=shared, lot=sql.Literal(SHARED))
            )
        return table


def column_names(header: Sequence[str]) -> list[str]:
    """Return header names as PostgreSQL can take them: none empty, over-long, doubled or a system column's."""
    names: list[str] = []
    for position, column in enumerate(header, start=1):
        name = plain = column.replace("\0", "") or f"column_{position}"
        if name in _SYSTEM_NAMES:
            name += "_"
        name = _cut(name, _MAX_NAME_BYTES)
        repeat = 1
        while name in names:
            repeat += 1
            suffix = f"_{repeat}"
            name = _cut(plain, _MAX_NAME_BYTES - len(suffix)) + suffix
        names.append(name)
    return names


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")


def prepare_connection(connection: Connection[Any], ingestion_id: int) -> None:
    """Give a connection the line counter and the ingestion that the defaults of a bronze partition look up."""
    connection.execute(QUERIES["create_line_counter"])
    connection.execute(QUERIES["use_line_counter"], {"ingestion_id": ingestion_id})


def copy_lines(
    connection: Connection[Any], piece: BronzePiece, delimiter: bytes, blocks: Iterable[bytes], *, quote: bytes | None
) -> int:
    """Copy CSV of one record a line; return the rows stored. Raises psycopg.DataError for one that does not fit.

    `quote` opens and closes fields. Without one, every byte but delimiter, newline and backslash is a character, and
    there is no backslash.
    """
    connection.execute(QUERIES["start_line_counter"], {"line": piece.lines.start})
    if quote is None:
        return _copy(connection, "copy_text_lines", piece, delimiter, blocks)
    return _copy(connection, "copy_lines", piece, delimiter, blocks, quote)


def copy_records(
    connection: Connection[Any], piece: BronzePiece, delimiter: bytes, rows: Iterable[tuple[int, bytes]]
) -> int:
    """Copy CSV records, each with its line; return the rows stored."""
    return _copy(connection, "copy_numbered_lines", piece, delimiter, join_lines(rows, delimiter))


def keep_malformed(
    connection: Connection[Any], ingestion_id: int, malformed: Iterable[tuple[Record, list[str]]], lines: range
) -> int:
    """Keep the records of some lines that fit no table, byte for byte with the reasons; return how many there are."""
    with connection.cursor() as cursor, cursor.copy(QUERIES["copy_malformed_lines"]) as copy:
        for record, reasons in malformed:
            copy.write_row((ingestion_id, record.line, record.raw, reasons))
    return reject_malformed(connection, ingestion_id, lines)


def reject_malformed(connection: Connection[Any], ingestion_id: int, lines: range | None = None) -> int:
    """Tell silver of an ingestion's malformed records, or of those on some lines; return how many there are."""
    first, last = (lines.start, lines.stop - 1) if lines is not None else (None, None)
    parameters = {"ingestion_id": ingestion_id, "first": first, "last": last}
    return connection.execute(QUERIES["reject_malformed_lines"], parameters).rowcount


def _copy(
    connection: Connection[Any],
    query: str,
    piece: BronzePiece,
    delimiter: bytes,
    blocks: Iterable[bytes],
    quote: bytes = QUOTE,
) -> int:
    names = piece.names
    # Made here, within the caller's savepoint: COPY freezes rows only in a table of the same subtransaction.
    if piece.lot != SHARED:
        connection.execute(sql.SQL(QUERIES["create_piece"]).format(**names))
        connection.execute(sql.SQL(QUERIES["set_piece_defaults"]).format(**names))
    statement = sql.SQL(QUERIES[query]).format(
        **names,
        columns=sql.SQL(", ").join(map(sql.Identifier, piece.table.columns)),
        delimiter=sql.Literal(delimiter.decode()),
        quote=sql.Literal(quote.decode()),
        freeze=sql.Literal(piece.lot != SHARED),
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for block in blocks:
                copy.write(block)
        rows = cursor.rowcount
    if piece.lot != SHARED:
        connection.execute(sql.SQL(QUERIES["drop_piece_defaults"]).format(**names))
    return rows


def attach_piece(connection: Connection[Any], piece: BronzePiece) -> None:
    """Let a chunk's rows be seen, within the caller's transaction."""
    connection.execute(sql.SQL(QUERIES["attach_piece"]).format(**piece.names))


def delete_shared(connection: Connection[Any], table: BronzeTable, ingestion_id: int) -> None:
    """Delete a small ingestion's rows."""
    statement = sql.SQL(QUERIES["delete_shared"])
    connection.execute(statement.format(partition=table.shared, ingestion_id=sql.Literal(ingestion_id)))
