"""Access tokens: made, listed and revoked. What a token may do is its role's to say; see guard.py."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from psycopg import Connection
from psycopg.rows import class_row

from tripsmith.names import clean
from tripsmith.warehouse.queries import load_queries

# Each may do what those before it may.
Role = Literal["reader", "ingester", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

QUERIES = load_queries("tripsmith.access", "tokens.sql")

_PREFIX = "tripsmith_"
_SECRET_BYTES = 32
_NAME_MAX = 100


class TokenError(Exception):
    """A token cannot be made or revoked; the message says why and what would be right."""


class AccessError(Exception):
    """A request is not allowed: 401 where it is not known who asks, 403 where that one's role does not reach."""

    def __init__(self, status: Literal[401, 403], detail: str, challenge: str) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = {"WWW-Authenticate": challenge}


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token, which is not the token itself. `created_at` is UTC."""

    name: str
    role: Role
    created_at: datetime

    def as_json(self) -> dict[str, str]:
        """Return the document that `--json` prints."""
        return {"name": self.name, "role": self.role, "created_at": self.created_at.isoformat()}


def create_token(connection: Connection[Any], name: str, role: Role) -> tuple[Token, str]:
    """Make a token; return what is kept of it and the token, which nobody can find out again. Raises TokenError."""
    name = clean(name)
    if not name or len(name) > _NAME_MAX or not name.isprintable():
        raise TokenError(f"The name of a token must be text of at most {_NAME_MAX} characters, such as `dashboard`.")
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    parameters = {"name": name, "role": role, "sha256": fingerprint(secret)}
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        created = cursor.execute(QUERIES["create_token"], parameters).fetchone()
    if created is None:
        raise TokenError(f"There is a token {name} already; revoke it first, or choose another name.")
    return created, secret


def list_tokens(connection: Connection[Any]) -> list[Token]:
    """Return all tokens, by name."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(QUERIES["list_tokens"]).fetchall()


def revoke_token(connection: Connection[Any], name: str) -> Token:
    """Forget a token, so that it opens nothing any more; running servers know within seconds. Raises TokenError."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        revoked = cursor.execute(QUERIES["revoke_token"], {"name": name, "cleaned": clean(name)}).fetchone()
    if revoked is None:
        raise TokenError(f"There is no token {name}; `tripsmith token list` names those there are.")
    return revoked


def roles_by_fingerprint(connection: Connection[Any]) -> Mapping[bytes, Role]:
    """Return the role of each token by its fingerprint."""
    return {bytes(sha256): role for sha256, role in connection.execute(QUERIES["list_roles"])}


def fingerprint(secret: str) -> bytes:
    """Return what is kept of a token. A plain SHA-256 does: 256 random bits cannot be guessed from it."""
    return hashlib.sha256(secret.encode()).digest()
