"""Who may do what: the same rules for HTTP and Socket.IO.

On loopback, for as long as there is no token, everything is open: one person on one machine. As soon as there is a
token, or other machines can reach the server, each request needs one whose role allows it.
"""

import time
from collections.abc import Mapping

import psycopg

from tripsmith.access.exposure import is_exposed
from tripsmith.access.tokens import ROLES, AccessError, Role, fingerprint, roles_by_fingerprint
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, WarehouseError

REFRESH_SECONDS = 2.0
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
        self._refresh_after(2 * REFRESH_SECONDS)
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
