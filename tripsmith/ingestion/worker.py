"""The worker: takes whatever is queued, one ingestion after the other, and waits for more without polling."""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from tripsmith.ingestion.indexing import making_segments
from tripsmith.ingestion.ingestion import QUERIES, get_ingestion
from tripsmith.ingestion.notifications import listen
from tripsmith.ingestion.run import give_up, run_ingestion, waiting_ingestions
from tripsmith.warehouse.database import Warehouse, WarehouseError

logger = logging.getLogger(__name__)

# By which a worker's connection is told from others.
WORKER_NAME = "tripsmith worker"

_LOOK_EVERY_SECONDS = 10
_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 1.0, 60.0
# Losses in a row without a row more: what takes the server down each time must not do so for ever.
_LOSSES_MAX = 8


def work(warehouse: Warehouse, uploads: Path, stop: threading.Event) -> None:
    """Run queued ingestions until told to stop; one that runs then goes on to its end first.

    A file that is not on this machine is left to those that see it, unless it should lie in the folder `uploads`,
    which all of them share. One that loses the database is tried again, later each time.
    """
    with making_segments(warehouse):
        _take_queued(warehouse, uploads, stop)


def _take_queued(warehouse: Warehouse, uploads: Path, stop: threading.Event) -> None:
    worker = _Worker(warehouse, uploads)
    quiet = 0
    for changed in listen(warehouse.conninfo, WORKER_NAME):
        # A process that dies tells nobody: what it left is looked for in quiet times.
        quiet = 0 if changed else quiet + 1
        if changed is None and quiet % _LOOK_EVERY_SECONDS and not worker.is_due() and not stop.is_set():
            continue
        while not stop.is_set() and worker.work_once():
            pass
        if stop.is_set():
            return


def count_workers(connection: Connection[Any]) -> int:
    """Return how many workers there are, on whatever machine."""
    row = connection.execute(QUERIES["count_workers"], {"name": WORKER_NAME}).fetchone()
    return row[0] if row else 0


@dataclass(slots=True)
class _Loss:
    """An ingestion that lost the database here: how often without getting further, and when it may be tried again."""

    rows_read: int
    times: int
    retry_at: float


class _Worker:
    def __init__(self, warehouse: Warehouse, uploads: Path) -> None:
        self._warehouse = warehouse
        self._uploads = uploads.absolute()
        self._losses: dict[int, _Loss] = {}
        self._elsewhere: set[int] = set()

    def is_due(self) -> bool:
        """Tell whether an ingestion that lost the database is to be tried again now."""
        return any(loss.retry_at <= time.monotonic() for loss in self._losses.values())

    def work_once(self) -> bool:
        """Run the oldest ingestion that nobody owns; tell whether there was one."""
        try:
            with self._warehouse.connect() as connection:
                waiting = waiting_ingestions(connection)
        except (psycopg.OperationalError, WarehouseError) as error:
            logger.warning("the database cannot be reached: %s", str(error).strip())
            return False
        listed = {ingestion_id for ingestion_id, _ in waiting}
        self._losses = {known: loss for known, loss in self._losses.items() if known in listed}
        self._elsewhere &= listed
        return any(self._is_ours(ingestion_id, path) and self._run(ingestion_id) for ingestion_id, path in waiting)

    def _is_ours(self, ingestion_id: int, path: Path) -> bool:
        loss = self._losses.get(ingestion_id)
        if loss is not None and loss.retry_at > time.monotonic():
            return False
        if path.is_file() or path.is_relative_to(self._uploads):
            return True
        if ingestion_id not in self._elsewhere:
            self._elsewhere.add(ingestion_id)
            logger.info("ingestion %s is for a worker that sees %s", ingestion_id, path)
        return False

    def _run(self, ingestion_id: int) -> bool:
        try:
            ended = run_ingestion(self._warehouse, ingestion_id)
        except (psycopg.OperationalError, WarehouseError) as error:
            self._note_loss(ingestion_id, str(error).strip())
            return True
        if ended is None:
            return False
        self._losses.pop(ingestion_id, None)
        logger.info("ingestion %s %s: %s", ended.id, ended.state, ended.error or ended.message)
        return True

    def _note_loss(self, ingestion_id: int, error: str) -> None:
        """Have an ingestion tried again after a while, or fail it when that led nowhere too often."""
        before = self._losses.get(ingestion_id, _Loss(-1, 0, 0))
        try:
            with self._warehouse.connect() as connection:
                rows_read = get_ingestion(connection, ingestion_id).rows_read
                times = before.times + 1 if rows_read == before.rows_read else 1
                if times >= _LOSSES_MAX:
                    give_up(connection, ingestion_id, f"The database was lost {times} times in a row: {error}")
                    return
        except (psycopg.OperationalError, WarehouseError):
            # The server is away: that is no fault of the ingestion.
            rows_read, times = before.rows_read, max(1, before.times)
        delay = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** (times - 1))
        self._losses[ingestion_id] = _Loss(rows_read, times, time.monotonic() + delay)
        logger.warning("ingestion %s lost the database, and is tried again in %g s: %s", ingestion_id, delay, error)
