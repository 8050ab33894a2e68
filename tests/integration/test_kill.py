"""Kills at random moments: whatever dies, the ingestion goes on and ends as an undisturbed one."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from contents import check_sums

from tripsmith.ingestion.submission import remove
from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings
from tripsmith.warehouse.database import open_warehouse

ROWS = 500_000
# A few chunks have bad lines and go the careful way, the others go the fast one.
INVALID_EVERY = 40_009
KILLS = 20

# Says `id ID`, takes the file argv[2] through the warehouse in argv[1], in chunks of about 2 MB, and ends with 0.
INGEST = """
import sys, time
from pathlib import Path
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import submit
from tripsmith.settings import Settings
from tripsmith.sources import chunks
from tripsmith.warehouse.database import open_warehouse

chunks.MIN_CHUNK_BYTES = 1 << 20
with open_warehouse(Settings(data_dir=Path(sys.argv[1]))) as warehouse:
    with warehouse.connect() as connection:
        sent = submit(connection, Path(sys.argv[2]), "trips.csv")
    print("id", sent.ingestion.id, flush=True)
    while (ended := run_ingestion(warehouse, int(sent.ingestion.id))) is None:
        time.sleep(0.05)  # what a killed owner left is still at it
sys.exit(ended.state != "succeeded")
"""


@pytest.fixture
def base() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()).is_relative_to(folder):
                process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def start(data_dir: Path, path: Path) -> tuple[subprocess.Popen[str], str]:
    """Start an ingestion in a process of its own; return it, and the ingestion's id, once it is under way."""
    command = [sys.executable, "-c", INGEST, str(data_dir), str(path)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = owner.stdout.readline()
    assert line.startswith("id "), owner.communicate()[1]
    return owner, line.split()[1]


def finish(owner: subprocess.Popen[str]) -> None:
    error = owner.communicate()[1]
    assert owner.returncode == 0, error


def kill_server(data_dir: Path) -> bool:
    """Kill the postmaster, whose backends are for the next start to deal with; tell whether it was still there."""
    try:
        os.kill(int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return False  # its last user has stopped it, and is about to end itself
    return True


@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", ["process", "server"])
def test_ends_as_an_undisturbed_ingestion(base: Path, victim: str) -> None:
    data_dir, path = base / "data", base / "trips.csv"
    with path.open("wb") as file:
        write_sample(file, ROWS, 3, invalid_every=INVALID_EVERY)
    moments = random.Random()
    with open_warehouse(Settings(data_dir=data_dir)):  # so that the server's own start is not counted
        started = time.monotonic()
        owner, ingestion_id = start(data_dir, path)
        finish(owner)
        seconds = time.monotonic() - started
    undisturbed = take_out(data_dir, ingestion_id)
    kills = 0
    while kills < KILLS:
        killed_here = []
        while True:
            owner, ingestion_id = start(data_dir, path)
            # Half of the time it takes, so that most ingestions are killed several times, at any stage.
            moment = moments.uniform(0, seconds / 2) if kills < KILLS else None
            with suppress(subprocess.TimeoutExpired):
                owner.wait(moment)
            if owner.poll() is not None:
                finish(owner)
                break
            killed_here.append(round(moment, 3))
            if victim == "server":
                kills += kill_server(data_dir)
            else:
                owner.kill()
                kills += 1
            owner.communicate()
            if owner.returncode == 0:
                break  # the kill came after the last commit
        assert take_out(data_dir, ingestion_id) == undisturbed, f"killed after {killed_here} s of {seconds:.1f}"


def take_out(data_dir: Path, ingestion_id: str) -> dict[str, tuple[int, str]]:
    """Return what an ingestion left in every layer, and remove it, so that the file can come anew."""
    with open_warehouse(Settings(data_dir=data_dir)) as warehouse, warehouse.connect() as connection:
        held = check_sums(connection, ingestion_id)
        remove(connection, ingestion_id)
        for table in ("silver.trip", "silver.rejected_row", "bronze.malformed_line", "gold.trip_group", "ops.chunk"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    bad = ROWS // INVALID_EVERY
    assert (held["silver"][0], held["rejected"][0]) == (ROWS - bad, bad)
    return held
