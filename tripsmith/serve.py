"""`tripsmith serve`: the database, the web server and the worker, started, kept running and stopped together."""

import ctypes
import errno
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tripsmith.access.exposure import is_exposed
from tripsmith.access.tokens import list_tokens
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.web.uploads import tus
from tripsmith.web.uploads.upload import discard_stale

logger = logging.getLogger(__name__)

OnReady = Callable[[str], None]
Signals = queue.SimpleQueue[int]

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOP_SECONDS = 40
_BACKLOG = 2048
_ANSWER_SECONDS = 120
# A process that ends this soon has not started; after so many in a row nobody should wait any longer.
_SOON_SECONDS = 10
_TRIES = 3
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class ServeError(Exception):
    """The server cannot be started; the message is one sentence that says why and what would help."""


def serve(settings: Settings, on_ready: OnReady | None = None) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, in the main thread; a second signal stops at once.

    `on_ready` is called with the server's URL, in a thread, once it answers. Raises ServeError and WarehouseError.
    """
    if settings.shared_dir is not None and not settings.shared_dir.is_dir():
        raise ServeError(f"There is no folder {settings.shared_dir} for uploads; make it, or set TRIPSMITH_SHARED_DIR.")
    if settings.watch_dir is not None and not settings.watch_dir.is_dir():
        raise ServeError(f"There is no folder {settings.watch_dir} to watch; make it, or set TRIPSMITH_WATCH_DIR.")
    with (
        _stopped_by_sigterm(),
        _listen(settings.host, settings.port) as listener,
        open_warehouse(settings) as warehouse,
    ):
        _check_tokens(settings, warehouse)
        port = listener.getsockname()[1]
        settings = settings.model_copy(update={"database_url": warehouse.conninfo, "port": port})
        discard_stale(settings.uploads_dir)
        tus.discard_stale(settings.uploads_dir / "tus")
        with _queued_signals() as signals:
            # Stopped in this order: what the web server was asked may still wait for the worker.
            children = [_web_server(settings, listener), *(_worker(settings) for _ in range(settings.workers))]
            if settings.watch_dir is not None:
                children.append(_watcher(settings, settings.watch_dir))
            try:
                threading.Thread(target=_announce, args=(_url(settings), on_ready), daemon=True).start()
                _keep_running(children, signals)
            finally:
                for child in children:
                    child.stop(signals)


def _check_tokens(settings: Settings, warehouse: Warehouse) -> None:
    if not is_exposed(settings):
        return
    with warehouse.connect() as connection:
        if not list_tokens(connection):
            raise ServeError(
                f"Tripsmith does not serve other machines, on {settings.host}, without an access token; make one with"
                " `tripsmith token create NAME --role admin`."
            )


class _Child:
    """A process of ours: started again when it dies, and told to end by the kernel when we die."""

    def __init__(
        self, name: str, arguments: Sequence[str], settings: Settings, descriptors: Sequence[int] = ()
    ) -> None:
        self.name = name
        # -P and a neutral folder: no module that lies where the user is may stand in for one of ours.
        self._command = [sys.executable, "-P", "-m", *arguments]
        self._environment = os.environ | _environment(settings)
        self._descriptors = descriptors
        self._failures = 0
        self._start()

    def _start(self) -> None:
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            self._command,
            cwd="/",
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=self._descriptors,
            process_group=0,  # Ctrl-C in the terminal is for us alone; we pass it on in order
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # no more than one system call
        )

    def ensure_running(self) -> None:
        """Start it again if it has died. Raises ServeError when it does not stay up."""
        code = self.process.poll()
        if code is None:
            return
        self._failures = self._failures + 1 if time.monotonic() - self._started < _SOON_SECONDS else 0
        if self._failures >= _TRIES:
            raise ServeError(f"The {self.name} does not stay up (exit code {code}); what it said is above.")
        logger.warning("the %s ended (exit code %s) and is started again", self.name, code)
        self._start()

    def stop(self, signals: Signals) -> None:
        """Let it finish and end; at once when told a second time or when it takes too long."""
        self.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        while self.process.poll() is None:
            try:
                is_urgent = signals.get(timeout=max(0, deadline - time.monotonic())) in _STOP_SIGNALS
            except queue.Empty:
                is_urgent = True
            if is_urgent:
                self.process.kill()
                self.process.wait()


def _web_server(settings: Settings, listener: socket.socket) -> _Child:
    config = ("--config", "python:tripsmith.web.gunicorn_config")
    # The socket is handed over open: connections wait in it while the server starts, and while it is started again.
    bind = ("--bind", f"fd://{listener.fileno()}")
    return _Child("web server", ("gunicorn", *config, *bind), settings, (listener.fileno(),))


def _worker(settings: Settings) -> _Child:
    return _Child("worker", ("tripsmith", "worker"), settings)


def _watcher(settings: Settings, folder: Path) -> _Child:
    return _Child("watcher of the folder", ("tripsmith", "watch", str(folder.resolve())), settings)


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables, so that a child has the same whatever the command line said."""
    values = settings.model_dump(exclude_none=True)
    # The children run in another folder than this.
    values = {name: value.resolve() if isinstance(value, Path) else value for name, value in values.items()}
    return {f"TRIPSMITH_{name.upper()}": str(value) for name, value in values.items()}


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _keep_running(children: Sequence[_Child], signals: Signals) -> None:
    """Return when we are told to stop; SIGCHLD wakes us to look after the children."""
    while signals.get() not in _STOP_SIGNALS:
        for child in children:
            child.ensure_running()


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the start as Ctrl-C does, so that what was begun is put away."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _queued_signals() -> Iterator[Signals]:
    """Yield a queue of the signals to stop and of SIGCHLD."""
    signals: Signals = queue.SimpleQueue()

    def receive(number: int, _: Any) -> None:
        signals.put(number)

    before = {number: signal.signal(number, receive) for number in (*_STOP_SIGNALS, signal.SIGCHLD)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_address(settings: Settings) -> None:
    """Raise ServeError when the server could not listen where these settings say."""
    with _listen(settings.host, settings.port):
        pass


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; taken before anything heavy starts, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"Port {port} is taken; stop what uses it, or choose another with --port or TRIPSMITH_PORT."
            ) from error
        raise ServeError(f"Tripsmith cannot listen on {host}, port {port}: {error.strerror}.") from error


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _announce(url: str, on_ready: OnReady | None) -> None:
    """Say that the server is up once it answers."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    while not _answers(url):
        if time.monotonic() > deadline:
            logger.error("the web server does not answer")
            return
        time.sleep(0.1)
    print(f"Tripsmith is at {url}", flush=True)
    if on_ready is not None:
        on_ready(url)


def _answers(url: str) -> bool:
    # Not through a proxy: the address is this machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=_ANSWER_SECONDS) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False
