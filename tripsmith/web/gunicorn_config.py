"""How gunicorn runs the application; `tripsmith serve` starts it with this file.

Nothing that opens connections may be imported here: the worker replaces sockets, threads and locks by gevent's first.
"""

import os
import resource
import signal
from typing import Any

import gevent
from gunicorn.workers.base import Worker

from tripsmith.logs import configuration

wsgi_app = "tripsmith.web.application:application()"
worker_class = "gevent"
# One web process a port: a Socket.IO client has to come back to the process that knows it.
workers = 1
worker_connections = 10_000
proc_name = "tripsmith-web"
loglevel = "warning"
logconfig_dict = configuration(
    os.environ.get("TRIPSMITH_LOG_FORMAT", "text"), os.environ.get("TRIPSMITH_LOG_LEVEL", "warning")
)
# A worker that does not move for this long is replaced.
timeout = 120
graceful_timeout = 30
keepalive = 5
control_socket_disable = True

_DISCONNECT_SECONDS = 0.2

# Each live client is an open file; the usual soft limit is 1024.
_, _hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard_limit, _hard_limit))


def post_worker_init(worker: Worker) -> None:
    """Have live clients disconnected when the worker is told to stop: it waits for open connections to end."""

    def stop(number: int, frame: Any) -> None:
        worker.handle_exit(number, frame)
        gevent.spawn(_disconnect_clients, worker.wsgi)

    signal.signal(signal.SIGTERM, stop)


def _disconnect_clients(app: Any) -> None:
    # Without a parting word, which clients would take for a wish that they stay away; and again and again, since one
    # that comes back at once may still find this worker.
    while True:
        for client in list(app.extensions["socketio"].server.eio.sockets.values()):
            client.close(wait=False, abort=True)
        gevent.sleep(_DISCONNECT_SECONDS)
