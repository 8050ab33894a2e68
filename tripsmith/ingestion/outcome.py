"""How an ingestion ends: what was loaded, what was rejected and why most often, and whether that makes it fail."""

from typing import Any

from psycopg import Connection

from tripsmith.ingestion.chunk import StoredChunk
from tripsmith.rejection_limit import RejectionLimit
from tripsmith.warehouse.queries import load_queries
from tripsmith.words import counted, printable

QUERIES = load_queries("tripsmith.ingestion", "outcome.sql")

# Of so many rejected rows the most frequent reason is found within a second.
_ROWS_EXAMINED = 100_000


class NothingLoadedError(Exception):
    """No row could be loaded, or more were rejected than allowed; `done` has what was read. The message says why."""

    def __init__(self, message: str, done: StoredChunk) -> None:
        super().__init__(message)
        self.done = done


def check_outcome(
    connection: Connection[Any], ingestion_id: int, done: StoredChunk, limit: RejectionLimit | None
) -> str:
    """Return what describe_outcome does; raise NothingLoadedError where an ingestion must not be published.

    Its rows are in silver by now.
    """
    if done.rows_read == 0:
        raise NothingLoadedError("The file has a header and no rows.", done)
    if done.rows_loaded == 0:
        rows = "Its only row" if done.rows_read == 1 else f"None of its {done.rows_read:,} rows"
        verb = "could not" if done.rows_read == 1 else "could"
        reason = _most_frequent_reason(connection, ingestion_id, done.rows_rejected)
        raise NothingLoadedError(f"{rows} {verb} be loaded{reason}.", done)
    if limit is not None and not limit.allows(done.rows_rejected, done.rows_read):
        were = "was" if done.rows_rejected == 1 else "were"
        reason = _most_frequent_reason(connection, ingestion_id, done.rows_rejected)
        raise NothingLoadedError(
            f"Nothing was loaded: max_rejected allows {limit.text}, and {done.rows_rejected:,} of its"
            f" {counted(done.rows_read, 'row')} {were} rejected{reason}.",
            done,
        )
    return describe_outcome(connection, ingestion_id, done.rows_loaded, done.rows_rejected)


def describe_outcome(connection: Connection[Any], ingestion_id: int, rows_loaded: int, rows_rejected: int) -> str:
    """Return the sentence that says what was loaded and rejected, with the most frequent reason."""
    reason = _most_frequent_reason(connection, ingestion_id, rows_rejected)
    return f"{counted(rows_loaded, 'trip')} loaded, {counted(rows_rejected, 'row')} rejected{reason}."


def _most_frequent_reason(connection: Connection[Any], ingestion_id: int, rows_rejected: int) -> str:
    """Return the end of a sentence that says why rows were rejected; '' where none was."""
    parameters = {"id": ingestion_id, "examined": _ROWS_EXAMINED}
    row = connection.execute(QUERIES["most_frequent_reason"], parameters).fetchone() if rows_rejected else None
    if row is None:
        return ""
    reason, rows, is_same = row
    if rows_rejected == 1:
        return f": {printable(reason)}"
    many = counted(rows, "row")
    if rows_rejected > _ROWS_EXAMINED:
        many = f"{rows:,} of the first {_ROWS_EXAMINED:,} rejected rows"
    return f"; most often ({many}){'' if is_same else ', for example'}: {printable(reason)}"
