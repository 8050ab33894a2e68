"""Socket.IO namespaces that only readers may enter."""

from collections.abc import Mapping
from typing import Any

import gevent
import psycopg
from flask import request
from flask_socketio import Namespace, SocketIO
from socketio.exceptions import ConnectionRefusedError  # type: ignore[import-untyped]

from tripsmith.access.guard import REFRESH_SECONDS, Guard
from tripsmith.access.tokens import AccessError
from tripsmith.warehouse.database import WarehouseError
from tripsmith.web.access import bearer
from tripsmith.web.live.broadcast import broadcast


class GuardedNamespace(Namespace):
    """A Socket.IO namespace that is for readers, and that a client whose token is revoked is put out of."""

    def __init__(self, name: str, socketio: SocketIO, guard: Guard) -> None:
        super().__init__(name)
        self._name = name
        self._socketio = socketio
        self._guard = guard
        self._tokens: dict[str, str | None] = {}

    def on_connect(self, auth: Any = None) -> None:
        """Let a reader in; a client that is refused is told why."""
        token = auth.get("token") if isinstance(auth, dict) else None
        token = token if isinstance(token, str) else bearer()
        try:
            self._guard.require("reader", token)
        except AccessError as error:
            raise ConnectionRefusedError(str(error), {"status": error.status}) from error
        except (psycopg.Error, WarehouseError) as error:
            raise ConnectionRefusedError("The database does not answer; try again in a moment.") from error
        sid = request.sid  # type: ignore[attr-defined]
        self._tokens[sid] = token
        # After the answer to its connecting, which this must not overtake.
        gevent.spawn(self.welcome, sid)

    def on_disconnect(self, reason: Any = None) -> None:
        """Forget the client."""
        self._tokens.pop(request.sid, None)  # type: ignore[attr-defined]

    def tell(self, event: str, document: Mapping[str, Any], sid: str | None = None) -> None:
        """Send an event to all clients that were let in, or to one."""
        broadcast(self._socketio, self._name, event, document, [sid] if sid else list(self._tokens))

    def count(self) -> int:
        """Return how many clients were let in."""
        return len(self._tokens)

    def welcome(self, sid: str) -> None:
        """Send what a client that has just come needs to know."""

    def put_out_strangers(self) -> None:
        """Disconnect those whose token is not one any more."""
        for sid, token in list(self._tokens.items()):
            if not self._guard.allows("reader", token):
                self._tokens.pop(sid, None)
                server: Any = self._socketio.server  # type: ignore[attr-defined]
                server.disconnect(sid, namespace=self._name)


def watch_tokens(guard: Guard, *namespaces: GuardedNamespace) -> None:
    """Keep a guard up to date, so that requests need not ask the database; never returns."""
    while True:
        try:
            guard.refresh()
            for namespace in namespaces:
                namespace.put_out_strangers()
        except (psycopg.Error, WarehouseError):
            pass  # nobody is let in meanwhile, and /readyz says why
        gevent.sleep(REFRESH_SECONDS)
