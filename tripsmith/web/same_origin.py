"""Refuses what other web sites make a browser send here: by another name of this machine, or from another page."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tripsmith.web.problems import problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SOCKET_PATH = "/socket.io"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SameOrigin:
    """WSGI middleware: the Host must be ours, and so must the Origin of what changes something or opens a socket.

    The Host is checked for reading too: a page whose name was rebound to 127.0.0.1 could otherwise read everything.
    """

    def __init__(self, app: "WSGIApplication", host: str) -> None:
        self._app = app
        self._host = host.lower()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on, or refuse it with 403."""
        host = _split("//" + environ.get("HTTP_HOST", ""))
        if host is None or not self._is_ours(host):
            refusal = f"The Host {environ.get('HTTP_HOST', '')!r} is not this server's name."
            return problem(403, refusal, parameter="Host")(environ, start_response)
        origin = environ.get("HTTP_ORIGIN")
        is_guarded = environ["REQUEST_METHOD"] not in _SAFE_METHODS or environ["PATH_INFO"].startswith(_SOCKET_PATH)
        if origin is not None and is_guarded:
            page = _split(origin)
            if page is None or not self._is_ours(page) or _port(page) != _port(host):
                refusal = f"A page of {origin} may not do this here; only this server's own pages may."
                return problem(403, refusal, parameter="Origin")(environ, start_response)
        return self._app(environ, start_response)

    def _is_ours(self, address: SplitResult) -> bool:
        name = address.hostname or ""
        return is_loopback(name) or name == self._host


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _port(address: SplitResult) -> int:
    return address.port or (443 if address.scheme == "https" else 80)
