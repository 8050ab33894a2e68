"""What an ingestion is, and the present state of those there are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from psycopg import Connection
from psycopg.rows import class_row

from tripsmith.warehouse.queries import load_queries

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "removed"]
Phase = Literal["bronze", "silver", "gold"]

UNFINISHED: frozenset[State] = frozenset({"queued", "running"})

QUERIES = load_queries("tripsmith.ingestion", "ingestion.sql")


class IngestionNotFoundError(Exception):
    """There is no ingestion with this id."""

    def __init__(self, ingestion_id: object) -> None:
        super().__init__(f"There is no ingestion {ingestion_id}.")


class IngestionConflictError(Exception):
    """The ingestion is in a state that forbids what was asked; the message says which and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """One file's way through the layers, as it is now. Times are UTC, sizes bytes, rates rows a second."""

    id: str
    file_name: str
    state: State
    phase: Phase | None
    bytes_done: int
    bytes_total: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_per_second: float | None
    eta_seconds: float | None
    message: str | None
    error: str | None
    notes: list[dict[str, Any]]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state not in UNFINISHED

    def as_json(self) -> dict[str, Any]:
        """Return the document that the API, the events and `--json` show; times as ISO 8601."""
        document = asdict(self)
        for field in ("created_at", "started_at", "finished_at"):
            moment: datetime | None = document[field]
            document[field] = moment.isoformat() if moment else None
        return document


@dataclass(frozen=True, slots=True)
class IngestionCounts:
    """How many ingestions are in each state, how long the first waits, and what those that succeeded hold."""

    by_state: dict[State, int]
    oldest_wait_seconds: float
    rows_loaded: int
    rows_rejected: int
    source_bytes: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is not valid: its physical line, its bytes and why.

    `file` is the member of an archive that the row is in, and `line` then counts from the member's own start; it is ''
    where the file is no archive.
    """

    file: str
    line: int
    record: bytes
    reasons: Sequence[str]


def get_ingestion(connection: Connection[Any], ingestion_id: str | int) -> Ingestion:
    """Return the ingestion with this id; raise IngestionNotFoundError if there is none."""
    number = str(ingestion_id)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise IngestionNotFoundError(ingestion_id)
    with connection.cursor(row_factory=class_row(Ingestion)) as cursor:
        found = cursor.execute(QUERIES["get_ingestion"], {"id": int(number)}).fetchone()
    if found is None:
        raise IngestionNotFoundError(ingestion_id)
    return found


def list_ingestions(connection: Connection[Any], *, limit: int = 50, before: int | None = None) -> list[Ingestion]:
    """Return up to `limit` ingestions, newest first; those with an id below `before` if one is given."""
    with connection.cursor(row_factory=class_row(Ingestion)) as cursor:
        return cursor.execute(QUERIES["list_ingestions"], {"limit": limit, "before": before}).fetchall()


def list_current_ingestions(connection: Connection[Any]) -> list[Ingestion]:
    """Return the unfinished ingestions and the latest 50, oldest first: what a client that joins is sent."""
    with connection.cursor(row_factory=class_row(Ingestion)) as cursor:
        return cursor.execute(QUERIES["list_current_ingestions"]).fetchall()


def count_ingestions(connection: Connection[Any]) -> IngestionCounts:
    """Return how many ingestions are in each state, every state being named, and what is in the warehouse."""
    found = {state: counts for state, *counts in connection.execute(QUERIES["count_ingestions"])}
    by_state = {state: found[state][0] if state in found else 0 for state in get_args(State)}
    row = connection.execute(QUERIES["wait_of_oldest"]).fetchone()
    wait = row[0] if row else 0.0
    return IngestionCounts(by_state, wait, *(found["succeeded"][1:] if "succeeded" in found else (0, 0, 0)))
