"""The present state of ingestions, kept by listening to the database, for whoever wants to know of each change."""

import logging
from collections.abc import Callable
from typing import Any

import psycopg
from gevent.event import Event
from psycopg import Connection

from tripsmith.ingestion.ingestion import (
    Ingestion,
    IngestionNotFoundError,
    get_ingestion,
    list_current_ingestions,
)
from tripsmith.ingestion.notifications import EVERYTHING, listen
from tripsmith.warehouse.database import Warehouse, WarehouseError

logger = logging.getLogger(__name__)

# Called with the state before and the state now; both are the same for what was there when the feed began.
Subscriber = Callable[[Ingestion | None, Ingestion], None]

_LATEST = 50
_PRUNE_EVERY = 100


class IngestionFeed:
    """What this process knows of ingestions. One greenlet runs it; all others read from memory, not the database."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._known: dict[str, Ingestion] = {}
        self._subscribers: list[Subscriber] = []
        self._finished: dict[str, list[Event]] = {}
        self._changes = 0
        self.is_loaded = Event()
        self.is_following = False

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` on every change from now on, in the feed's greenlet: it must not wait."""
        self._subscribers.append(subscriber)

    def present(self) -> list[Ingestion]:
        """Return the unfinished ingestions and the latest 50, oldest first."""
        by_age = sorted(self._known.values(), key=lambda ingestion: int(ingestion.id))
        older, latest = by_age[:-_LATEST], by_age[-_LATEST:]
        return [ingestion for ingestion in older if not ingestion.is_finished] + latest

    def wait_until_finished(self, ingestion_id: str) -> Ingestion:
        """Return the ingestion once nothing more will happen to it, its subscribers having been told before."""
        event = Event()
        # Registered before the state is read, so that no change falls between.
        self._finished.setdefault(ingestion_id, []).append(event)
        with self._warehouse.connect() as connection:
            found = get_ingestion(connection, ingestion_id)
        known = self._known.get(ingestion_id)
        if not found.is_finished or known is None or not known.is_finished:
            event.wait()
            found = self._known.get(ingestion_id, found)
        return found

    def run(self) -> None:
        """Follow the database's notifications; never returns."""
        connection: Connection[Any] | None = None
        is_behind = True
        for changed in listen(self._warehouse.conninfo):
            if changed is None and not is_behind:
                continue
            try:
                connection = connection or self._warehouse.connect()
                if is_behind or changed == EVERYTHING:
                    self._read_all(connection)
                elif changed is not None:
                    self._read_one(connection, changed)
                is_behind = False
                self.is_following = True
            except (psycopg.Error, WarehouseError) as error:
                logger.warning("the state of ingestions cannot be read: %s", str(error).strip())
                is_behind, self.is_following = True, False
                if connection is not None:
                    connection.close()
                    connection = None

    def _read_one(self, connection: Connection[Any], ingestion_id: str) -> None:
        try:
            self._publish(get_ingestion(connection, ingestion_id))
        except IngestionNotFoundError:
            logger.warning("a notification named ingestion %s, which is not there", ingestion_id)

    def _read_all(self, connection: Connection[Any]) -> None:
        current = list_current_ingestions(connection)
        listed = {ingestion.id for ingestion in current}
        unfinished = [known.id for known in self._known.values() if not known.is_finished and known.id not in listed]
        if not self.is_loaded.is_set():
            self._known.update({ingestion.id: ingestion for ingestion in current})
        for ingestion in current:
            if self._known.get(ingestion.id) != ingestion or not self.is_loaded.is_set():
                self._publish(ingestion)
        for ingestion_id in unfinished:
            self._read_one(connection, ingestion_id)
        self.is_loaded.set()

    def _publish(self, ingestion: Ingestion) -> None:
        previous = self._known.get(ingestion.id)
        self._known[ingestion.id] = ingestion
        for subscriber in self._subscribers:
            try:
                subscriber(previous, ingestion)
            except Exception:
                logger.exception("a change of ingestion %s could not be passed on", ingestion.id)
        if ingestion.is_finished:
            for event in self._finished.pop(ingestion.id, ()):
                event.set()
        self._changes += 1
        if self._changes % _PRUNE_EVERY == 0:
            self._known = {present.id: present for present in self.present()}
