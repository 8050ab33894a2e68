"""Refuses what other web sites make a browser send here: by another name of this machine, or from another page."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tripsmith.access.exposure import is_loopback
from tripsmith.settings import Settings
from tripsmith.web.problems import problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SOCKET_PATH = "/socket.io"


class SameOrigin:
    """WSGI middleware: the Host must be ours, and so must the Origin of what changes something or opens a socket.

    The Host is checked for reading too: a page whose name was rebound to 127.0.0.1 could otherwise read everything.
    Where we listen on another address, names are the network's to give, and a rebound page has no token.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._names = {settings.host.lower(), *settings.names}
        self._has_any_name = not is_loopback(settings.host) and not settings.names

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
            if page is None or not self._is_ours(page) or not _is_same_place(page, host):
                refusal = f"A page of {origin} may not do this here; only this server's own pages may."
                return problem(403, refusal, parameter="Origin")(environ, start_response)
        return self._app(environ, start_response)

    def _is_ours(self, address: SplitResult) -> bool:
        name = address.hostname or ""
        return self._has_any_name or is_loopback(name) or name in self._names


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_same_place(page: SplitResult, host: SplitResult) -> bool:
    """Tell whether a page's origin is the host that it sends to; the scheme is the page's to know, behind a proxy."""
    usual = 443 if page.scheme == "https" else 80
    is_same_machine = page.hostname == host.hostname or (
        is_loopback(page.hostname or "") and is_loopback(host.hostname or "")
    )
    return is_same_machine and (page.port or usual) == (host.port or usual)
