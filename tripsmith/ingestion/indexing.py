"""Segments of gold for the ingestions that have none yet: large ones get one each, small ones share.

Made when nothing else waits, by the worker, or by `tripsmith index`. Answers are right without, and slower.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from tripsmith.ingestion.ownership import SEGMENT, claim
from tripsmith.warehouse.database import Warehouse, WarehouseError
from tripsmith.warehouse.disk import DiskTooSmallError, check_segment_room
from tripsmith.warehouse.gold.segment import APPLICATION_NAME, drop_segment, make_segment, publish
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import piece_of

logger = logging.getLogger(__name__)

QUERIES = load_queries("tripsmith.ingestion", "indexing.sql")

# Fewer trips than this in small files are scanned in a tenth of a second, and more of them may be on their way.
FEW_TRIPS = 500_000
# As many as one segment of small files holds: the removal of one of them undoes it all.
MOST_TRIPS = 4_000_000
# So many are sorted at once: 2 GB on disk, where memory does not hold them.
BATCH_TRIPS = 20_000_000

_LOOK_EVERY_SECONDS = 2
_LONGEST_PAUSE_SECONDS = 600


class IndexingDelayedError(Exception):
    """Nothing was indexed just now, though something may wait; the message is a sentence that says why."""


class _ChangedError(Exception):
    """An ingestion was removed or rebuilt, or is about to be."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The ingestions of a segment to be, as they are now (`versions`), and the queries that yield their trips."""

    ids: Sequence[int]
    versions: Sequence[str]
    trips: int
    batches: Sequence[sql.Composable]

    def hold(self, connection: Connection[Any]) -> None:
        """Keep them as they are until the transaction ends; raise _ChangedError if they are not so any more."""
        held = connection.execute(QUERIES["hold"], {"ids": list(self.ids), "versions": list(self.versions)}).fetchall()
        if len(held) != len(self.ids):
            raise _ChangedError


def make_next_segment(warehouse: Warehouse, *, few: int = FEW_TRIPS) -> Sequence[int]:
    """Make a segment for an ingestion that waits for one, or for small ones with `few` trips or more in all.

    Returns the ids of the ingestions; none when none waits. Raises IndexingDelayedError while another process is at it
    and when interrupted, and DiskTooSmallError.
    """
    # One at a time: a second one would take the other's cores.
    with warehouse.connect() as connection, claim(connection, 0, kind=SEGMENT) as claimed:
        if not claimed:
            raise IndexingDelayedError("Another process is indexing.")
        # What still works on one is the orphan of a process that was killed.
        interrupt(connection)
        for (unfinished,) in connection.execute(QUERIES["list_unfinished_segments"]).fetchall():
            drop_segment(connection, unfinished)
        while (plan := _plan_large(connection) or _plan_small(connection, few)) is not None:
            check_segment_room(connection, plan.trips)
            try:
                segment = make_segment(warehouse, plan.batches, plan.hold)
            except _ChangedError:
                continue
            except psycopg.errors.QueryCanceled as error:
                raise IndexingDelayedError("An ingestion is being removed or rebuilt.") from error
            with connection.transaction():
                try:
                    plan.hold(connection)
                except _ChangedError:
                    drop_segment(connection, segment)
                    continue
                publish(connection, segment)
                connection.execute(QUERIES["join"], {"segment": segment, "ids": list(plan.ids)})
            return plan.ids
    return ()


@contextmanager
def making_segments(warehouse: Warehouse) -> Iterator[None]:
    """Make segments beside whatever the caller does, which does not wait for it."""
    stop = threading.Event()
    thread = threading.Thread(target=_make_until, args=(warehouse, stop), name="segments")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        try:
            with warehouse.connect() as connection:
                interrupt(connection)
        except (psycopg.Error, WarehouseError) as error:
            logger.warning("the database was lost: %s", error)
        thread.join()


def _make_until(warehouse: Warehouse, stop: threading.Event) -> None:
    pause = _LOOK_EVERY_SECONDS
    while not stop.wait(pause):
        try:
            while not stop.is_set() and (made := make_next_segment(warehouse)):
                logger.info("indexed %s ingestions, %s to %s", len(made), made[0], made[-1])
            pause = _LOOK_EVERY_SECONDS
        except IndexingDelayedError:
            pause = _LOOK_EVERY_SECONDS
        except (psycopg.Error, WarehouseError, DiskTooSmallError) as error:
            # What is wrong may stay so for long; nobody waits for this.
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            logger.warning("nothing was indexed, and answers are slower without: %s", str(error).strip())


def interrupt(connection: Connection[Any]) -> None:
    """Stop whoever makes a segment; it is begun again without what is locked by then."""
    connection.execute(QUERIES["interrupt"], {"name": APPLICATION_NAME})


def leave_segment(connection: Connection[Any], ingestion_id: int) -> None:
    """Drop the segment that an ingestion is in, within the caller's transaction; the others in it will get another."""
    for (segment,) in connection.execute(QUERIES["get_segment"], {"id": ingestion_id}).fetchall():
        drop_segment(connection, segment)


def _plan_large(connection: Connection[Any]) -> _Plan | None:
    row = connection.execute(QUERIES["next_large"]).fetchone()
    if row is None:
        return None
    ingestion_id, version, trips, lot = row
    batches: list[list[sql.Composable]] = [[]]
    size = 0
    for first_line, lines, rows in connection.execute(QUERIES["list_pieces"], {"id": ingestion_id}):
        if batches[-1] and size + rows > BATCH_TRIPS:
            batches.append([])
            size = 0
        batches[-1].append(sql.SQL("TABLE {}").format(piece_of(lot, range(first_line, first_line + lines))))
        size += rows
    return _Plan([ingestion_id], [version], trips, [sql.SQL(" UNION ALL ").join(pieces) for pieces in batches])


def _plan_small(connection: Connection[Any], few: int) -> _Plan | None:
    rows = connection.execute(QUERIES["next_small"], {"trips": MOST_TRIPS}).fetchall()
    ids, versions, trips = [row[0] for row in rows], [row[1] for row in rows], sum(row[2] for row in rows)
    if not ids or trips < few:
        return None
    query = sql.SQL("SELECT * FROM silver.trip_0 WHERE ingestion_id = ANY({})").format(sql.Literal(ids))
    return _Plan(ids, versions, trips, [query])
