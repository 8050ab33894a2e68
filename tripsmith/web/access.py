"""The rules of access for requests: which role an address needs, and how HTTP and Socket.IO ask the guard."""

from collections.abc import Mapping
from typing import Any

import gevent
import psycopg
from flask import Flask, request
from flask_socketio import Namespace, SocketIO
from socketio.exceptions import ConnectionRefusedError  # type: ignore[import-untyped]

from tripsmith.access.guard import REFRESH_SECONDS, Guard
from tripsmith.access.tokens import AccessError, Role
from tripsmith.warehouse.database import WarehouseError
from tripsmith.web.frames import broadcast

# Without data in them: what a balancer asks, the reference, and the dashboard, which asks a person for the token.
_OPEN_RULES = frozenset(
    {
        "/",
        "/dashboard/<path:name>",
        "/healthz",
        "/readyz",
        "/spec",
        "/api/docs",
        "/api/docs/assets/<path:filename>",
        "/api/openapi.json",
    }
)
_ADMIN_RULES = frozenset({"/restart-server"})
# Questions that may be asked by POST, as a polygon does not fit into an address.
_QUESTION_RULES = frozenset(
    f"/api/v1/{question}" for question in ("weekly-average", "groups", "flows", "cells", "metrics/trips")
)
_READING_METHODS = frozenset({"GET", "HEAD"})

_EXTENSION = "tripsmith-guard"


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


def register(app: Flask, guard: Guard) -> None:
    """Have every request to an application checked before anything else is done for it."""

    @app.before_request
    def check() -> None:
        role = role_needed()
        if role is not None:
            guard.require(role, bearer())

    app.extensions[_EXTENSION] = guard


def role_needed() -> Role | None:
    """Return the role that this request needs; None where it is open to everybody."""
    rule = request.url_rule.rule if request.url_rule else None
    if rule in _OPEN_RULES or request.method == "OPTIONS":
        return None
    if rule in _ADMIN_RULES:
        return "admin"
    if request.method in _READING_METHODS or rule in _QUESTION_RULES:
        return "reader"
    return "ingester"


def bearer() -> str | None:
    """Return the token in this request's Authorization header."""
    authorization = request.authorization
    return authorization.token if authorization is not None and authorization.type == "bearer" else None
