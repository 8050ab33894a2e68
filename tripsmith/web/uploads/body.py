"""The body of a request: it ends where its sender ended it; silence, and a connection that was cut, are errors."""

import socket
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from tripsmith.web.problems import describe

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_Failure = RequestTimeout | ClientDisconnected | ParseException


class Body:
    """The bytes of one request. What came before a failure is still returned; from then on every read raises it.

    Raises RequestTimeout after `silent_seconds` without a byte, ClientDisconnected where the connection is cut before
    the body is whole, and ParseException for chunks that are not in the form that HTTP wants.
    """

    def __init__(
        self, stream: IO[bytes], length: int | None, connection: socket.socket | None, silent_seconds: float
    ) -> None:
        self._stream = stream
        self._missing = length
        self._connection = connection
        self._silent_seconds = silent_seconds
        self._failure: _Failure | None = None

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes of the body, fewer only where it ends or fails, none at its end."""
        if self._failure is not None:
            raise self._failure
        try:
            data = self._read(size)
        except (OSError, ParseException) as error:
            self._failure = self._describe(error)
            data = self._rest(size)
            if not data:
                raise self._failure from error
        if self._missing is not None:
            self._missing -= len(data)
            if not data and size != 0 and self._missing > 0:
                self._failure = ClientDisconnected()
                raise self._failure
        return data

    def _read(self, size: int) -> bytes:
        if self._connection is None:
            return self._stream.read(size)
        before = self._connection.gettimeout()
        self._connection.settimeout(self._silent_seconds)
        try:
            return self._stream.read(size)
        finally:
            self._connection.settimeout(before)

    def _rest(self, size: int) -> bytes:
        """Return what had come when reading failed; nothing more is read from the connection, now or later."""
        if self._connection is None:
            return b""
        try:
            self._connection.shutdown(socket.SHUT_RD)
            return self._stream.read(size)
        except (OSError, ParseException):
            return b""

    def _describe(self, error: OSError | ParseException) -> _Failure:
        if isinstance(error, ParseException):
            return error
        if isinstance(error, TimeoutError):
            return RequestTimeout(
                f"Nothing of the body came for {self._silent_seconds:g} seconds; the connection is closed and what was"
                " sent is not taken as whole. Send it again."
            )
        return ClientDisconnected()


class WholeBodies:
    """WSGI middleware: every body has the same clock, and none ends before it is whole without an error."""

    def __init__(self, app: "WSGIApplication", silent_seconds: float) -> None:
        self._app = app
        self._silent_seconds = silent_seconds

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on; a failure of its body that nobody below describes is described here."""
        text = "" if environ.get("HTTP_TRANSFER_ENCODING") else environ.get("CONTENT_LENGTH") or ""
        length = int(text) if text.isascii() and text.isdigit() else None
        connection = environ.get("gunicorn.socket")
        environ["wsgi.input"] = Body(environ["wsgi.input"], length, connection, self._silent_seconds)
        try:
            return self._app(environ, start_response)
        except (RequestTimeout, ClientDisconnected, ParseException) as error:
            return describe(error)(environ, start_response)
