"""Who may do what: the same rules for HTTP and Socket.IO.

On loopback, for as long as there is no token, everything is open: one person on one machine. As soon as there is a
token, or other machines can reach the server, each request needs one whose role allows it.
"""

import time
from collections.abc import Mapping
from typing import Any

import gevent
import psycopg
from flask import Flask, request
from flask_socketio import Namespace, SocketIO
from socketio.exceptions import ConnectionRefusedError  # type: ignore[import-untyped]

from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, WarehouseError
from tripsmith.web.frames import broadcast
from tripsmith.web.same_origin import is_exposed
from tripsmith.web.tokens import ROLES, AccessError, Role, fingerprint, roles_by_fingerprint

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
_REFRESH_SECONDS = 2.0
# Whoever guesses must not keep the database busy.
_UNKNOWN_SECONDS = 0.2
_NEEDED = (
    "Send it as `Authorization: Bearer TOKEN`, or to Socket.IO as auth: {token}; `tripsmith token create` makes one."
)


class Guard:
    """Knows the tokens of the database, a few seconds late at most."""

    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        self._is_exposed = is_exposed(settings)
        self._warehouse = warehouse
        self._roles: Mapping[bytes, Role] = {}
        self._read_at: float | None = None

    def refresh(self) -> None:
        """Read the tokens anew. Raises psycopg.OperationalError and WarehouseError, after which nobody is let in."""
        try:
            with self._warehouse.connect() as connection:
                self._roles = roles_by_fingerprint(connection)
        except (psycopg.OperationalError, WarehouseError):
            self._read_at = None
            raise
        self._read_at = time.monotonic()

    def require(self, role: Role, token: str | None) -> None:
        """Return where the token, if one is needed, is of this role or a higher one; raise AccessError otherwise."""
        self._refresh_after(2 * _REFRESH_SECONDS)
        if not self._roles and not self._is_exposed:
            return
        if token is None:
            raise AccessError(401, f"A token is needed here. {_NEEDED}", 'Bearer realm="tripsmith"')
        if (known := self._roles.get(fingerprint(token))) is None:
            self._refresh_after(_UNKNOWN_SECONDS)  # it may just have been made
            known = self._roles.get(fingerprint(token))
        if known is None:
            challenge = 'Bearer realm="tripsmith", error="invalid_token"'
            raise AccessError(401, f"The token is not known; it may have been revoked. {_NEEDED}", challenge)
        if ROLES.index(known) < ROLES.index(role):
            challenge = f'Bearer realm="tripsmith", error="insufficient_scope", scope="{role}"'
            raise AccessError(403, f"The token's role is {known}; this needs the role {role}.", challenge)

    def _refresh_after(self, seconds: float) -> None:
        if self._read_at is None or time.monotonic() - self._read_at > seconds:
            self.refresh()

    def allows(self, role: Role, token: str | None) -> bool:
        """Tell whether `require` would pass."""
        try:
            self.require(role, token)
        except AccessError:
            return False
        return True


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
        gevent.sleep(_REFRESH_SECONDS)


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
