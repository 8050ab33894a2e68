"""Silver from bronze: the clean way where it works, the careful way where it does not."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from tripsmith.sources.layout import Layout
from tripsmith.warehouse.bronze.table import SHARED, BronzeTable
from tripsmith.warehouse.gold.count import count_piece
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.names import QUERIES, add_names


@dataclass(frozen=True)
class SilverLoad:
    """How the rows of one ingestion become trips: which tables, which columns, which options."""

    layout: Layout
    bronze: BronzeTable
    lot: int
    ingestion_id: int
    region: str | None = None
    datasource: str | None = None

    def load(self, connection: Connection[Any], names: Connection[Any], lines: range, rows: int) -> int:
        """Load the `rows` bronze rows of the chunk of these lines; return the trips made, the others being rejected.

        `names` is a second connection, in autocommit mode, on which new regions and sources are stored.
        """
        loaded = self._load_clean(connection, lines, rows)
        if loaded is None and self._add_new_names(connection, names, lines):
            loaded = self._load_clean(connection, lines, rows)
        if loaded is None:
            loaded = self._fill(connection, "careful", lines)
        if self.lot != SHARED:
            piece = piece_of(self.lot, lines)
            count_piece(connection, self.lot, piece)
            connection.execute(sql.SQL(QUERIES["promise_range"]).format(**_piece_names(self.lot, lines)))
        return loaded

    def _load_clean(self, connection: Connection[Any], lines: range, rows: int) -> int | None:
        """Return the trips loaded, or None, with nothing done, when not every row is clean."""
        try:
            with connection.transaction() as attempt:
                if self._fill(connection, "clean", lines) == rows:
                    return rows
                raise psycopg.Rollback(attempt)
        except psycopg.DataError:
            pass
        return None

    def _fill(self, connection: Connection[Any], way: str, lines: range) -> int:
        query = load_queries(__package__, f"{self.layout.format.name}_{way}.sql")["trips"]
        trips = sql.SQL(query).format(
            **self._columns(),
            **self._source(lines),
            record=self._record(),
            lot=sql.Literal(self.lot),
            ingestion_id=sql.Literal(self.ingestion_id),
        )
        fill = "fill_shared" if self.lot == SHARED else "fill_piece"
        return connection.execute(sql.SQL(QUERIES[fill]).format(piece=piece_of(self.lot, lines), trips=trips)).rowcount

    def _add_new_names(self, connection: Connection[Any], names: Connection[Any], lines: range) -> bool:
        added = False
        for kind in ("region", "datasource"):
            query = sql.SQL(QUERIES[f"new_{kind}s"]).format(**self._columns(), **self._source(lines))
            spellings = [spelling for (spelling,) in connection.execute(query)]
            added |= add_names(names, kind, spellings)
        return added

    def _source(self, lines: range) -> dict[str, sql.Composable]:
        """Return the bronze table of a chunk, and the condition that picks its rows there."""
        rows = sql.SQL('"_ingestion_id" = {}').format(sql.Literal(self.ingestion_id))
        return {"bronze": self.bronze.piece(self.lot, lines), "rows": rows if self.lot == SHARED else sql.SQL("true")}

    def _columns(self) -> dict[str, sql.Composable]:
        """Return the expression of each column of the format: the bronze column, or the option that replaces it."""
        columns: dict[str, sql.Composable] = {
            column: sql.Identifier(self.bronze.columns[position])
            for column, position in self.layout.format.positions(self.layout.columns).items()
        }
        for option, value in (("region", self.region), ("datasource", self.datasource)):
            if value is not None:
                columns[option] = sql.Literal(value) + sql.SQL("::text")
        return columns

    def _record(self) -> sql.Composable:
        """Return the expression of a bronze row as a CSV record, quoted where it has to be."""
        delimiter = self.layout.delimiter.decode()
        special = sql.Literal(f'[{delimiter}"\\n\\r]')
        fields: list[sql.Composable] = []
        for name in self.bronze.columns:
            value = sql.SQL("(judged.source).{}").format(sql.Identifier(name))
            fields += [sql.Literal(delimiter), sql.SQL(QUERIES["csv_field"]).format(value=value, special=special)]
        return sql.SQL(" || ").join(fields[1:])


def piece_of(lot: int, lines: range) -> sql.Identifier:
    """The part of silver.trip that holds one chunk of a large ingestion."""
    return sql.Identifier("silver", f"trip_{lot}_{lines.start}")


def _piece_names(lot: int, lines: range) -> dict[str, sql.Composable]:
    """Return what the queries on pieces have in braces."""
    return {
        "piece": piece_of(lot, lines),
        "lot": sql.Literal(lot),
        "first": sql.Literal(lines.start),
        "stop": sql.Literal(lines.stop),
    }


def attach_piece(connection: Connection[Any], lot: int, lines: range) -> None:
    """Let a chunk's trips be seen, within the caller's transaction."""
    connection.execute(sql.SQL(QUERIES["attach_piece"]).format(**_piece_names(lot, lines)))
