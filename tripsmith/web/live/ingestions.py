"""Live events: the Socket.IO namespace /ingestions, where every client is sent the whole state of each change."""

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import get_args

import gevent
from flask_socketio import SocketIO

from tripsmith.access.guard import Guard
from tripsmith.ingestion.ingestion import Ingestion, Phase, State
from tripsmith.web.live.feed import IngestionFeed
from tripsmith.web.live.namespace import GuardedNamespace

NAMESPACE = "/ingestions"
EVENT = "ingestion"
PHASES: tuple[Phase, ...] = get_args(Phase)

_PER_SECOND = 4
# Clients that start a thread for each message, as python-socketio's does, mix up those that come at the same moment.
_GAP_SECONDS = 0.03
# After so many messages in so short a time, changes are summed up: an ingestion's last state stands for all.
_BURST, _BURST_SECONDS = 20, 0.25
# An ingestion that waits no longer than this is first seen running; its four steps then fit in a second.
_QUEUED_SECONDS = 0.1
_LOAD_SECONDS = 10


@dataclass(slots=True)
class _Pace:
    """What of one ingestion is to be sent yet, and when something was."""

    pending: list[Ingestion] = field(default_factory=list)
    last: Ingestion | None = None
    sent_at: deque[float] = field(default_factory=lambda: deque(maxlen=_PER_SECOND))
    due_at: float = math.inf
    begun_at: float = field(default_factory=time.monotonic)

    def add(self, ingestion: Ingestion, *, is_burst: bool) -> None:
        """Have a state sent: instead of one in the same step, but after one in another, so that all steps are seen."""
        if is_burst:
            self.pending.clear()
        elif self.pending and (self.pending[-1].state == "queued" or _step(self.pending[-1]) == _step(ingestion)):
            self.pending.pop()
        self.pending.append(ingestion)

    def delay(self) -> float:
        """Return the seconds until the first pending state may be sent."""
        now = time.monotonic()
        if self.last is None:
            return self.begun_at + _QUEUED_SECONDS - now if self.pending[0].state == "queued" else 0
        share = self.sent_at[0] + 1 - now if len(self.sent_at) == _PER_SECOND else 0
        return max(share, self.sent_at[-1] + _GAP_SECONDS - now)


def _step(ingestion: Ingestion) -> tuple[State, Phase | None]:
    return ingestion.state, ingestion.phase


def _phases_between(previous: Ingestion | None, ingestion: Ingestion) -> Iterator[Ingestion]:
    """Yield a state for each phase gone through too fast to be read, so that clients see every one of them."""
    if ingestion.state not in ("running", "succeeded") or (previous is not None and previous.is_finished):
        return
    first = PHASES.index(previous.phase) + 1 if previous is not None and previous.phase else 0
    last = PHASES.index(ingestion.phase) if ingestion.phase else len(PHASES)
    for phase in PHASES[first:last]:
        yield replace(ingestion, state="running", phase=phase, message=None, finished_at=None)


class IngestionNamespace(GuardedNamespace):
    """Sends a client that connects the present state at once, and all clients each change, at a measured pace."""

    def __init__(self, socketio: SocketIO, guard: Guard, feed: IngestionFeed) -> None:
        super().__init__(NAMESPACE, socketio, guard)
        self._feed = feed
        self._paces: dict[str, _Pace] = {}
        self._all_sent_at: deque[float] = deque()
        feed.subscribe(self._changed)

    def welcome(self, sid: str) -> None:
        """Send the client the present state of every ingestion that is current, as far as all have been told of it."""
        self._feed.is_loaded.wait(timeout=_LOAD_SECONDS)
        for ingestion in self._feed.present():
            pace = self._paces.get(ingestion.id)
            told = pace.last if pace is not None and pace.pending else ingestion
            if told is not None:
                self.tell(EVENT, told.as_json(), sid)

    def _changed(self, previous: Ingestion | None, ingestion: Ingestion) -> None:
        pace = self._paces.setdefault(ingestion.id, _Pace())
        is_burst = self._is_burst()
        for passed in _phases_between(previous, ingestion):
            pace.add(passed, is_burst=is_burst)
        pace.add(ingestion, is_burst=is_burst)
        self._send_after(ingestion.id, max(pace.delay(), _BURST_SECONDS if is_burst else 0))

    def _send_after(self, ingestion_id: str, delay: float) -> None:
        if delay <= 0:
            self._send(ingestion_id)
            return
        pace = self._paces[ingestion_id]
        due_at = time.monotonic() + delay
        if due_at < pace.due_at:
            pace.due_at = due_at
            gevent.spawn_later(delay, self._send_late, ingestion_id)

    def _send_late(self, ingestion_id: str) -> None:
        pace = self._paces.get(ingestion_id)
        if pace is None:
            return
        pace.due_at = math.inf
        if pace.pending:
            self._send_after(ingestion_id, pace.delay())

    def _send(self, ingestion_id: str) -> None:
        pace = self._paces[ingestion_id]
        ingestion = pace.last = pace.pending.pop(0)
        now = time.monotonic()
        pace.sent_at.append(now)
        self._all_sent_at.append(now)
        self.tell(EVENT, ingestion.as_json())
        if pace.pending:
            self._send_after(ingestion_id, pace.delay())
        elif ingestion.is_finished:
            del self._paces[ingestion_id]

    def _is_burst(self) -> bool:
        since = time.monotonic() - _BURST_SECONDS
        while self._all_sent_at and self._all_sent_at[0] <= since:
            self._all_sent_at.popleft()
        return len(self._all_sent_at) >= _BURST
