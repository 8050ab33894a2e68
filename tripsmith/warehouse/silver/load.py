"""Silver from bronze: the clean way where it works, the careful way where it does not."""

from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import Connection, sql

from tripsmith.names import MISSING_VALUES, name_key, unwrapped
from tripsmith.sources.header import Layout
from tripsmith.warehouse.bronze.table import SHARED, BronzeTable
from tripsmith.warehouse.database import Warehouse
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.names import QUERIES, add_names

# Comparing with each of so many names takes less time than a hash join; names.sql asks for one more.
FEW_NAMES = 20


@dataclass(frozen=True)
class SilverLoad:
    """How the rows of one ingestion become trips: which tables, which columns, which options."""

    layout: Layout
    bronze: BronzeTable
    lot: int
    ingestion_id: int
    region: str | None = None
    datasource: str | None = None
    suffix: str = ""  # of the names of pieces that are to take the place of others

    @property
    def rows(self) -> sql.Composable:
        """The condition that tells the ingestion's rows from others in its bronze tables."""
        if self.lot != SHARED:
            return sql.SQL("true")
        return sql.SQL('"_ingestion_id" = {}').format(sql.Literal(self.ingestion_id))

    def load(self, connection: Connection[Any], warehouse: Warehouse, lines: range, rows: int) -> int:
        """Load the `rows` bronze rows of the chunk of these lines; return the trips made, the others being rejected.

        New regions and sources are stored at once, on a connection of their own.
        """
        loaded = self._load_clean(connection, lines, rows)
        if loaded is None and self._add_new_names(connection, warehouse, lines):
            loaded = self._load_clean(connection, lines, rows)
        if loaded is None:
            loaded = self._load_careful(connection, lines)
        if self.lot != SHARED:
            names = {**_piece_names(self.lot, lines, self.suffix), "ingestion_id": sql.Literal(self.ingestion_id)}
            connection.execute(sql.SQL(QUERIES["complete_piece"]).format(**names))
        return loaded

    def count_replaced(self, connection: Connection[Any], kind: Literal["region", "datasource"], lines: range) -> int:
        """Return how many bronze rows of a chunk have a name of their own that is not the one given for all rows."""
        position = self.layout.format.positions(self.layout.columns)[kind]
        query = sql.SQL(QUERIES["count_own_names"]).format(
            column=sql.Identifier(self.bronze.columns[position]),
            bronze=self.bronze.piece(self.lot, lines),
            rows=self.rows,
        )
        given = name_key(getattr(self, kind) or "")
        return sum(rows for name, rows in connection.execute(query) if name_key(unwrapped(name)) != given)

    def _load_clean(self, connection: Connection[Any], lines: range, rows: int) -> int | None:
        """Return the trips loaded, or None, with nothing done, when not every row is clean."""
        names = self._known_names(connection, lines)
        clean = self._queries(f"{self.layout.format.name}_clean.sql", lines, names)
        try:
            with connection.transaction() as attempt:
                if self._fill(connection, clean, lines) == rows:
                    return rows
                raise psycopg.Rollback(attempt)
        except psycopg.DataError:
            pass
        return None

    def _load_careful(self, connection: Connection[Any], lines: range) -> int:
        """Return the trips loaded; the other rows are rejected."""
        queries = self._queries(f"{self.layout.format.name}_careful.sql", lines)
        connection.execute(queries["judge"])
        connection.execute(queries["reject"])
        loaded = self._fill(connection, queries, lines)
        connection.execute(sql.SQL(QUERIES["mark_trips"]).format(ingestion_id=sql.Literal(self.ingestion_id)))
        connection.execute(QUERIES["drop_judged"])
        return loaded

    def _fill(self, connection: Connection[Any], queries: dict[str, sql.Composed], lines: range) -> int:
        fill = "fill_shared" if self.lot == SHARED else "fill_piece"
        statement = sql.SQL(QUERIES[fill]).format(
            piece=piece_of(self.lot, lines, self.suffix),
            lot=sql.Literal(self.lot),
            ingestion_id=sql.Literal(self.ingestion_id),
            trips=queries["trips"],
            columns=queries["columns"],
        )
        return connection.execute(statement).rowcount

    def _known_names(self, connection: Connection[Any], lines: range) -> dict[str, sql.Composable]:
        """Return how the number of a region or source is found: in a CASE where few are known, else by a join."""
        queries = self._queries("names.sql", lines)
        names: dict[str, sql.Composable] = {}
        for kind in ("region", "datasource"):
            known = connection.execute(queries[f"known_{kind}s"]).fetchall()
            if 0 < len(known) <= FEW_NAMES:
                cases = sql.SQL(" ").join(sql.SQL("WHEN {} THEN {}").format(*name) for name in known)
                number = sql.SQL(QUERIES["number_of_name"])
                names[f"{kind}_id"] = number.format(name=sql.Identifier("shaped", kind), known=cases)
                names[f"join_{kind}s"] = sql.SQL("")
            else:
                names[f"{kind}_id"] = sql.Identifier(kind, f"{kind}_id")
                names[f"join_{kind}s"] = queries[f"join_{kind}s"]
        return names

    def _queries(
        self, file_name: str, lines: range, more: dict[str, sql.Composable] | None = None
    ) -> dict[str, sql.Composed]:
        """Return the queries of a file with the format's columns, the chunk's tables and `more` filled in."""
        ingestion_id = sql.Literal(self.ingestion_id)
        names: dict[str, sql.Composable] = {
            **self._columns(),
            **(more or {}),
            "bronze": self.bronze.piece(self.lot, lines),
            "rows": self.rows,
            "record": self._record(),
            "ingestion_id": ingestion_id,
            "after_tomorrow": sql.SQL(QUERIES["after_tomorrow"]).format(ingestion_id=ingestion_id),
            "missing_values": sql.Literal(list(MISSING_VALUES)) + sql.SQL("::text[]"),
        }
        queries = load_queries(__package__, file_name)
        return {name: sql.SQL(query).format(**names) for name, query in queries.items()}

    def _add_new_names(self, connection: Connection[Any], warehouse: Warehouse, lines: range) -> bool:
        queries = self._queries("names.sql", lines)
        new = {
            kind: [spelling for (spelling,) in connection.execute(queries[f"new_{kind}s"])]
            for kind in ("region", "datasource")
        }
        if not any(new.values()):
            return False
        with warehouse.connect() as apart:
            added = [add_names(apart, kind, spellings) for kind, spellings in new.items()]
        return any(added)

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
        """Return the expression of a judged bronze row as a CSV record, quoted where it has to be."""
        delimiter = self.layout.delimiter.decode()
        special = sql.Literal(f'[{delimiter}"\\n\\r]')
        fields: list[sql.Composable] = []
        for name in self.bronze.columns:
            value = sql.SQL("(judged.source).{}").format(sql.Identifier(name))
            fields += [sql.Literal(delimiter), sql.SQL(QUERIES["csv_field"]).format(value=value, special=special)]
        return sql.SQL(" || ").join(fields[1:])


def piece_of(lot: int, lines: range, suffix: str = "") -> sql.Identifier:
    """The part of silver.trip that holds one chunk of a large ingestion."""
    return sql.Identifier("silver", piece_name(lot, lines) + suffix)


def piece_name(lot: int, lines: range) -> str:
    """The name of that part, without its schema."""
    return f"trip_{lot}_{lines.start}"


def _piece_names(lot: int, lines: range, suffix: str = "") -> dict[str, sql.Composable]:
    """Return what the queries on pieces have in braces."""
    return {
        "piece": piece_of(lot, lines, suffix),
        "lot": sql.Literal(lot),
        "first": sql.Literal(lines.start),
        "stop": sql.Literal(lines.stop),
    }


def attach_piece(connection: Connection[Any], lot: int, lines: range) -> None:
    """Let a chunk's trips be seen, within the caller's transaction."""
    for query in ("leave_to_autovacuum", "attach_piece"):
        connection.execute(sql.SQL(QUERIES[query]).format(**_piece_names(lot, lines)))
