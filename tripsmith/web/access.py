"""The rules of access for requests: which role an address needs, and the guard asked before anything else."""

from flask import Flask, request

from tripsmith.access.guard import Guard
from tripsmith.access.tokens import Role

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
