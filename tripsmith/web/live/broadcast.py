"""WebSocket messages to very many clients: each is made into a frame once, and written to their sockets at once."""

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from engineio.async_drivers.gevent import WebSocketWSGI  # type: ignore[import-untyped]
from engineio.packet import MESSAGE, Packet  # type: ignore[import-untyped]
from flask_socketio import SocketIO
from socketio.packet import EVENT  # type: ignore[import-untyped]

_TEXT_FRAME = 0x81  # final, and text
_SHORT_MAX, _MEDIUM_MAX = 125, 0xFFFF


class _Frames(bytes):
    """What is left of a frame that a socket took in part: the client's own writer finishes it, before anything else."""

    def encode(self) -> "_Frames":
        """Return itself, as the writer asks of a packet."""
        return self


class _OpenWebSocket(WebSocketWSGI):  # type: ignore[misc]
    """The driver's WebSocket, known to the client that it belongs to, so that a frame can be written past the queue."""

    is_writing = False

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Serve the connection to its end."""
        client = self.app.__self__
        client.open_websocket = self
        try:
            return super().__call__(environ, start_response)
        finally:
            client.open_websocket = None

    def send(self, message: "str | bytes") -> None:
        """Send a message, or what is left of a frame. Raises OSError where the client is gone."""
        self.is_writing = True
        try:
            if isinstance(message, _Frames):
                self.ws.sock.sendall(message)
            else:
                super().send(message)
        finally:
            self.is_writing = False


def open_websockets(socketio: SocketIO) -> None:
    """Have a Socket.IO server keep its WebSockets where `broadcast` finds them."""
    eio = _server(socketio).eio
    eio._async = eio._async | {"websocket": _OpenWebSocket}


def broadcast(socketio: SocketIO, namespace: str, event: str, document: Mapping[str, Any], sids: Iterable[str]) -> None:
    """Send an event to clients: those whose writer is idle at once, the others, and those that poll, by their queues.

    A frame from a server has no mask, so it is the same for all. It is not compressed, which a client that offered to
    must take too, and which would be done for each anew.
    """
    server = _server(socketio)
    packet = server.packet_class(EVENT, namespace=namespace, data=[event, document])
    message = Packet(MESSAGE, packet.encode())
    frame = _frame(message.encode().encode())
    for sid in sids:
        eio_sid = server.manager.eio_sid_from_sid(sid, namespace)
        client = server.eio.sockets.get(eio_sid)
        if client is not None and not _write(client, frame):
            server._send_eio_packet(eio_sid, message)


def _write(client: Any, frame: bytes) -> bool:
    """Write a frame to a client if nothing else is on its way to it; tell whether that was done."""
    websocket = getattr(client, "open_websocket", None)
    if websocket is None or not client.upgraded or websocket.is_writing or client.queue.qsize():
        return False
    try:
        # The system's socket, which never waits, under gevent's, which would.
        sent = websocket.ws.sock._sock.send(frame)
    except OSError:
        return False  # full or gone: its writer finds out
    if sent < len(frame):
        client.queue.put(_Frames(frame[sent:]))
    return True


def _server(socketio: SocketIO) -> Any:
    return socketio.server  # type: ignore[attr-defined]


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
