"""The way to the database: the embedded server or one that is given, migrated and ready."""

import select
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from psycopg.pq import TransactionStatus
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


# Opening a connection takes the server longer than a small file takes it otherwise. Not kept for ever: a connection
# remembers every table that it has seen.
_IDLE_MAX = 8
_AGE_MAX_SECONDS = 600


class WarehouseError(Exception):
    """The database cannot be used; the message is one sentence that says why and what would help."""


class _Connection(psycopg.Connection[TupleRow]):
    """A connection that, when it is closed in good order, is kept for the next that asks for one."""

    _idle: "deque[_Connection] | None" = None
    _opened_at = 0.0

    def close(self) -> None:
        """Hand the connection back, as if it were new; end it where that cannot be."""
        idle, self._idle = self._idle, None
        if idle is not None and len(idle) < _IDLE_MAX and self._is_reusable():
            idle.append(self)
        else:
            super().close()

    def lend(self, idle: "deque[_Connection]") -> bool:
        """Say where it goes when it is closed; tell whether the server is still there."""
        # What a server says unasked, or the end of the connection, can be read: a last word, most likely.
        waiting = select.poll()
        waiting.register(self.pgconn.socket, select.POLLIN)
        if waiting.poll(0):
            super().close()
            return False
        self._idle = idle
        self._opened_at = self._opened_at or time.monotonic()
        return True

    def _is_reusable(self) -> bool:
        if self.closed or not self.autocommit or self.info.transaction_status != TransactionStatus.IDLE:
            return False
        if time.monotonic() - self._opened_at > _AGE_MAX_SECONDS:
            return False
        try:
            # Settings, temporary tables, locks and prepared statements: nothing of one use is left for the next.
            self.execute("DISCARD ALL")
        except psycopg.Error:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A database that is migrated and ready; `conninfo` is a libpq connection string."""

    conninfo: str
    _idle: deque[_Connection] = field(default_factory=deque, compare=False, repr=False)

    def connect(self) -> psycopg.Connection[TupleRow]:
        """Return a connection in autocommit mode, with the session settings that all our SQL assumes.

        It is a new one, or one that was closed before and is as new. Raises WarehouseError when the server cannot be
        reached.
        """
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                kept = self._idle.pop()
                if kept.lend(self._idle):
                    return kept
        try:
            opened = _Connection.connect(
                self.conninfo,
                autocommit=True,
                prepare_threshold=None,  # a plan is for the area that is asked about, not for any
                options=_SESSION,
                application_name="tripsmith",
                connect_timeout=10,
            )
        except psycopg.OperationalError as error:
            raise WarehouseError(f"The database cannot be reached: {_first_line(error)}.") from error
        opened.lend(self._idle)
        return opened

    def close_idle(self) -> None:
        """End the connections that are kept."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Yield the warehouse of these settings: the server started if it is ours, the schema brought up to date.

    Raises WarehouseError when the server cannot be started, reached or used.
    """
    if settings.database_url is not None:
        with _prepared(settings.database_url) as warehouse:
            yield warehouse
        return
    try:
        with running_server(settings.data_dir) as conninfo, _prepared(conninfo) as warehouse:
            yield warehouse
    except ServerError as error:
        raise WarehouseError(str(error)) from error


@contextmanager
def _prepared(conninfo: str) -> Iterator[Warehouse]:
    warehouse = Warehouse(conninfo)
    with warehouse.connect() as connection:
        version = connection.info.server_version
        if version < MINIMUM_VERSION:
            raise WarehouseError(f"The server is PostgreSQL {version // 10000}; Tripsmith needs 16 or later.")
        try:
            migrations.migrate(connection)
        except psycopg.Error as error:
            raise WarehouseError(f"The database could not be prepared: {_first_line(error)}.") from error
    try:
        yield warehouse
    finally:
        warehouse.close_idle()


def _first_line(error: Exception) -> str:
    """Return what psycopg says in one line, without the address prefix being lost or a period doubled."""
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
