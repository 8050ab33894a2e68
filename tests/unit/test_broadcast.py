"""Frames as RFC 6455 has them, read by wsproto; and a socket that takes only part of one."""

import socket
from types import SimpleNamespace

import gevent.queue
import gevent.socket
import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from tripsmith.web.live.broadcast import _frame, _write


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_is_read_as_the_text_that_it_is(size):
    reader = Connection(ConnectionType.CLIENT)
    reader.receive_data(_frame(("ä" * size)[:size].encode()))
    found = [event for event in reader.events() if isinstance(event, TextMessage)]
    assert "".join(event.data for event in found) == ("ä" * size)[:size]
    assert found[-1].message_finished


def test_what_a_full_socket_does_not_take_is_left_to_the_writer_and_nothing_comes_before_it():
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock = gevent.socket.socket(fileno=ours.detach())
    websocket = SimpleNamespace(ws=SimpleNamespace(sock=sock), is_writing=False)
    client = SimpleNamespace(upgraded=True, queue=gevent.queue.JoinableQueue(), open_websocket=websocket)
    frame = _frame(b"x" * 1_000_000)
    assert _write(client, frame)
    assert client.queue.qsize() == 1
    # More is not written past what is left.
    assert not _write(client, _frame(b"y"))
    left = client.queue.get().encode()
    theirs.settimeout(10)
    received = b""
    while len(received) < len(frame) - len(left):
        received += theirs.recv(1 << 20)
    assert received + left == frame
    websocket.is_writing = True
    assert not _write(client, _frame(b"y"))
    sock.close()
    theirs.close()
