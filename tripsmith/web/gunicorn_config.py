"""How gunicorn runs the application; `tripsmith serve` starts it with this file.

Nothing that opens connections may be imported here: the worker replaces sockets, threads and locks by gevent's first.
"""

import resource
import signal
from typing import Any

import gevent
from gunicorn.workers.base import Worker

wsgi_app = "tripsmith.web.application:application()"
worker_class = "gevent"
# One web process a port: a Socket.IO client has to come back to the process that knows it.
workers = 1
worker_connections = 10_000
proc_name = "tripsmith-web"
loglevel = "warning"
# A worker that does not move for this long is replaced.
timeout = 120
graceful_timeout = 30
keepalive = 5
control_socket_disable = True

# Each live client is an open file; the usual soft limit is 1024.
_, _hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard_limit, _hard_limit))


def post_worker_init(worker: Worker) -> None:
    """Have live clients disconnected when the worker is told to stop: it waits for open connections to end."""

    app: Any = worker.wsgi

    def stop(number: int, frame: Any) -> None:
        worker.handle_exit(number, frame)
        gevent.spawn(app.extensions["socketio"].server.eio.disconnect)

    signal.signal(signal.SIGTERM, stop)
