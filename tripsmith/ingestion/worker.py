"""The worker: takes whatever is queued, one ingestion after the other, and waits for more without polling."""

import logging
import threading

import psycopg

from tripsmith.ingestion.events import listen
from tripsmith.ingestion.run import run_ingestion, waiting_ingestions
from tripsmith.ingestion.segments import making_segments
from tripsmith.warehouse.database import Warehouse, WarehouseError

logger = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 10


def work(warehouse: Warehouse, stop: threading.Event) -> None:
    """Run queued ingestions until told to stop; one that runs then goes on to its end first."""
    with making_segments(warehouse):
        _take_queued(warehouse, stop)


def _take_queued(warehouse: Warehouse, stop: threading.Event) -> None:
    quiet = 0
    for changed in listen(warehouse.conninfo):
        # A process that dies tells nobody: what it left is looked for in quiet times.
        quiet = 0 if changed else quiet + 1
        if changed is None and quiet % _LOOK_EVERY_SECONDS and not stop.is_set():
            continue
        while not stop.is_set() and _work_once(warehouse):
            pass
        if stop.is_set():
            return


def _work_once(warehouse: Warehouse) -> bool:
    """Run the oldest ingestion that nobody owns; tell whether there was one."""
    try:
        with warehouse.connect() as connection:
            waiting = waiting_ingestions(connection)
        for ingestion_id in waiting:
            ended = run_ingestion(warehouse, ingestion_id)
            if ended is not None:
                logger.info("ingestion %s %s", ended.id, ended.state)
                return True
    except (psycopg.OperationalError, WarehouseError) as error:
        logger.warning("the database was lost: %s", error)
    return False
