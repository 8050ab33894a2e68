"""The way to the database: the embedded server or one that is given, migrated and ready."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from tripsmith.settings import Settings
from tripsmith.warehouse import migrations
from tripsmith.warehouse.server import ServerError, running_server

MINIMUM_VERSION = 160000

# Nothing may depend on how a server, a database or a role is set up.
_SESSION = (
    "-c DateStyle=ISO,MDY -c IntervalStyle=postgres -c TimeZone=UTC -c client_encoding=UTF8 -c search_path=pg_catalog"
    " -c extra_float_digits=1 -c jit=off"
)


class WarehouseError(Exception):
    """The database cannot be used; the message is one sentence that says why and what would help."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A database that is migrated and ready; `conninfo` is a libpq connection string."""

    conninfo: str

    def connect(self) -> psycopg.Connection[TupleRow]:
        """Return a new connection in autocommit mode, with the session settings that all our SQL assumes.

        Raises WarehouseError when the server cannot be reached.
        """
        try:
            return psycopg.connect(
                self.conninfo, autocommit=True, options=_SESSION, application_name="tripsmith", connect_timeout=10
            )
        except psycopg.OperationalError as error:
            raise WarehouseError(f"The database cannot be reached: {_first_line(error)}.") from error


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Yield the warehouse of these settings: the server started if it is ours, the schema brought up to date.

    Raises WarehouseError when the server cannot be started, reached or used.
    """
    if settings.database_url is not None:
        yield _prepare(settings.database_url)
        return
    try:
        with running_server(settings.data_dir) as conninfo:
            yield _prepare(conninfo)
    except ServerError as error:
        raise WarehouseError(str(error)) from error


def _prepare(conninfo: str) -> Warehouse:
    warehouse = Warehouse(conninfo)
    with warehouse.connect() as connection:
        version = connection.info.server_version
        if version < MINIMUM_VERSION:
            raise WarehouseError(f"The server is PostgreSQL {version // 10000}; Tripsmith needs 16 or later.")
        try:
            migrations.migrate(connection)
        except psycopg.Error as error:
            raise WarehouseError(f"The database could not be prepared: {_first_line(error)}.") from error
    return warehouse


def _first_line(error: Exception) -> str:
    """Return what psycopg says in one line, without the address prefix being lost or a period doubled."""
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
