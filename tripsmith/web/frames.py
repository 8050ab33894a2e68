"""WebSocket messages to very many clients: each is made into a frame once, not once a client."""

import struct
from typing import Any, ClassVar

from engineio.async_drivers.gevent import WebSocketWSGI  # type: ignore[import-untyped]
from flask_socketio import SocketIO

_TEXT_FRAME = 0x81  # final, and text
_SHORT_MAX, _MEDIUM_MAX = 125, 0xFFFF


class SharedFrames(WebSocketWSGI):  # type: ignore[misc]
    """Writes text to the socket itself; all else is the driver's.

    A frame from a server has no mask, so it is the same for all. It is not compressed, which a client that offered to
    must take too, and which would be done for each anew. The driver drops what a full socket does not take; this waits.
    """

    # The message of last, and its frame: a broadcast hands the same string to one client after the other.
    _last: ClassVar[tuple[str, bytes]] = ("", b"")

    def send(self, message: str | bytes) -> None:
        """Send a message, waiting for a slow client. Raises OSError where it is gone."""
        if not isinstance(message, str):
            super().send(message)
            return
        if not self.ws.connected:
            raise OSError("the client is gone")
        last, frame = SharedFrames._last
        if last is not message:
            frame = _frame(message.encode())
            SharedFrames._last = (message, frame)
        sent = self.ws.sock.send(frame)
        if sent < len(frame):
            self.ws.sock.sendall(frame[sent:])


def share_frames(socketio: SocketIO) -> None:
    """Have a Socket.IO server send so."""
    server: Any = socketio.server  # type: ignore[attr-defined]
    server.eio._async = server.eio._async | {"websocket": SharedFrames}


def _frame(payload: bytes) -> bytes:
    """Return a text message as RFC 6455 puts it on the wire."""
    size = len(payload)
    if size <= _SHORT_MAX:
        head = struct.pack("!BB", _TEXT_FRAME, size)
    elif size <= _MEDIUM_MAX:
        head = struct.pack("!BBH", _TEXT_FRAME, 126, size)
    else:
        head = struct.pack("!BBQ", _TEXT_FRAME, 127, size)
    return head + payload
