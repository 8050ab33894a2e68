"""Silver from bronze: the clean way where it works, the careful way where it does not."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from tripsmith.sources.layout import Layout
from tripsmith.warehouse.bronze.table import BronzeTable
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

    def load(
        self, connection: Connection[Any], names: Connection[Any], lines: range, rows: int, first_page: int
    ) -> int:
        """Load the `rows` bronze rows that start on these lines; return the trips made, the others being rejected.

        `names` is a second connection, in autocommit mode, on which new regions and sources are stored. Only pages from
        `first_page` on are read, as older ones should hold older chunks; should a row lie elsewhere, all are.
        """
        selection = self._selection(lines, first_page)
        loaded = self._load_clean(connection, selection, rows)
        if loaded is None and self._count(connection, selection) != rows:
            selection = self._selection(lines, 0)
            loaded = self._load_clean(connection, selection, rows)
        if loaded is None and self._add_new_names(connection, names, selection):
            loaded = self._load_clean(connection, selection, rows)
        if loaded is None:
            loaded = self._insert(connection, "careful", selection)
        return loaded

    def _load_clean(self, connection: Connection[Any], selection: sql.Composable, rows: int) -> int | None:
        """Return the trips loaded, or None, with nothing done, when not every row is clean."""
        try:
            with connection.transaction() as attempt:
                if self._insert(connection, "clean", selection) == rows:
                    return rows
                raise psycopg.Rollback(attempt)
        except psycopg.DataError:
            pass
        return None

    def _insert(self, connection: Connection[Any], way: str, selection: sql.Composable) -> int:
        query = load_queries(__package__, f"{self.layout.format.name}_{way}.sql")["load"]
        statement = sql.SQL(query).format(
            **self._columns(), bronze=self._bronze, silver=trip_partition(self.lot), rows=selection,
            record=self._record(), lot=sql.Literal(self.lot), ingestion_id=sql.Literal(self.ingestion_id),
        )
        return connection.execute(statement).rowcount

    def _add_new_names(self, connection: Connection[Any], names: Connection[Any], selection: sql.Composable) -> bool:
        added = False
        for kind in ("region", "datasource"):
            query = sql.SQL(QUERIES[f"new_{kind}s"]).format(**self._columns(), bronze=self._bronze, rows=selection)
            spellings = [spelling for (spelling,) in connection.execute(query)]
            added |= add_names(names, kind, spellings)
        return added

    def _count(self, connection: Connection[Any], selection: sql.Composable) -> int:
        query = sql.SQL(QUERIES["count_rows"]).format(bronze=self._bronze, rows=selection)
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    @property
    def _bronze(self) -> sql.Identifier:
        return self.bronze.partition(self.lot)

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
        special = sql.Literal(f"[{delimiter}\"\\n\\r]")
        fields: list[sql.Composable] = []
        for name in self.bronze.columns:
            value = sql.SQL("(judged.source).{}").format(sql.Identifier(name))
            fields += [sql.Literal(delimiter), sql.SQL(QUERIES["csv_field"]).format(value=value, special=special)]
        return sql.SQL(" || ").join(fields[1:])

    def _selection(self, lines: range, first_page: int) -> sql.Composable:
        return sql.SQL("ctid >= {}::tid AND {} = {} AND {} BETWEEN {} AND {}").format(
            sql.Literal(f"({first_page},0)"),
            sql.Identifier("_ingestion_id"),
            sql.Literal(self.ingestion_id),
            sql.Identifier("_line"),
            sql.Literal(lines.start),
            sql.Literal(lines.stop - 1),
        )


def trip_partition(lot: int) -> sql.Identifier:
    """The part of silver.trip that holds one lot."""
    return sql.Identifier("silver", f"trip_{lot}")
