"""A bronze table: the files of one header, exactly as they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from tripsmith.sources.layout import Layout
from tripsmith.sources.records import Record, join_lines
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "bronze.sql")

# What an unquoted field must be to be read as NULL: no field is, so that an empty one stays an empty text.
_NEVER = "\\tripsmith never"

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

    def partition(self, lot: int) -> sql.Identifier:
        """The part of it that holds one lot."""
        return sql.Identifier("bronze", f"{self.name}_{lot}")

    def partition_name(self, lot: int) -> str:
        """The same as text for regclass."""
        return f'bronze."{self.name}_{lot}"'


def bronze_table(connection: Connection[Any], layout: Layout) -> BronzeTable:
    """Return the table of this layout's header, made if no file had it before."""
    with connection.transaction():
        connection.execute(QUERIES["lock_headers"])
        found = connection.execute(QUERIES["find_header"], {"columns": list(layout.columns)}).fetchone()
        if found is not None:
            return BronzeTable(found[0], found[1], tuple(found[2]))
        names = column_names(layout.columns)
        (header_id,) = connection.execute(
            QUERIES["insert_header"],
            {"columns": list(layout.columns), "column_names": names, "format": f"new {layout.format.name}"},
        ).fetchone() or (0,)
        table = BronzeTable(header_id, f"{layout.format.name}_{header_id}", tuple(names))
        connection.execute(QUERIES["name_header"], {"id": header_id, "table_name": table.name})
        definitions = sql.SQL(",\n    ").join(
            sql.SQL("{} text NOT NULL").format(sql.Identifier(name)) for name in names
        )
        connection.execute(
            sql.SQL(QUERIES["create_table"]).format(table=table.table, column_definitions=definitions)
        )
        shared = table.partition(0)
        for query in ("create_shared_partition", "index_shared_partition", "set_defaults"):
            connection.execute(sql.SQL(QUERIES[query]).format(table=table.table, partition=shared, lot=sql.Literal(0)))
        return table


def column_names(header: Sequence[str]) -> list[str]:
    """Return header names as PostgreSQL can take them: none empty, over-long, doubled or a system column's."""
    names: list[str] = []
    for position, column in enumerate(header, start=1):
        name = column.replace("\0", "") or f"column_{position}"
        if name in _SYSTEM_NAMES:
            name += "_"
        name = _cut(name, _MAX_NAME_BYTES)
        repeat = 1
        while name in names:
            repeat += 1
            suffix = f"_{repeat}"
            name = _cut(column or f"column_{position}", _MAX_NAME_BYTES - len(suffix)) + suffix
        names.append(name)
    return names


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")


def prepare_connection(connection: Connection[Any], ingestion_id: int) -> None:
    """Give a connection the line counter and the ingestion that the defaults of a bronze partition look up."""
    connection.execute(QUERIES["create_line_counter"])
    connection.execute(QUERIES["use_line_counter"], {"ingestion_id": ingestion_id})


def page_count(connection: Connection[Any], table: BronzeTable, lot: int) -> int:
    """Return the pages that a partition has."""
    row = connection.execute(QUERIES["pages"], {"partition": table.partition_name(lot)}).fetchone()
    return int(row[0]) if row else 0


def copy_lines(
    connection: Connection[Any], table: BronzeTable, lot: int, delimiter: bytes, data: bytes, first_line: int
) -> int:
    """Copy CSV of one record a line; return the rows stored. Raises psycopg.DataError for a record that does not fit."""
    connection.execute(QUERIES["start_line_counter"], {"line": first_line})
    return _copy(connection, "copy_lines", table, lot, delimiter, _blocks(data))


def copy_records(
    connection: Connection[Any], table: BronzeTable, lot: int, delimiter: bytes, records: Sequence[Record]
) -> int:
    """Copy records with their line numbers; return the rows stored."""
    blocks = (join_lines(records[start : start + 5000], delimiter) for start in range(0, len(records), 5000))
    return _copy(connection, "copy_numbered_lines", table, lot, delimiter, blocks)


def _copy(
    connection: Connection[Any], query: str, table: BronzeTable, lot: int, delimiter: bytes, blocks: Iterable[Any]
) -> int:
    statement = sql.SQL(QUERIES[query]).format(
        partition=table.partition(lot),
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        delimiter=sql.Literal(delimiter.decode()),
        null=sql.Literal(_NEVER),
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for block in blocks:
                copy.write(block)
        return cursor.rowcount


def _blocks(data: bytes, size: int = 1 << 18) -> Iterable[memoryview]:
    view = memoryview(data)
    return (view[start : start + size] for start in range(0, len(view), size))
