"""A disk that is too small, told beforehand where that can be known and survived where it cannot: a real one."""

import gzip
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from contents import check_sums

from tripsmith.ingestion.indexing import make_next_segment
from tripsmith.ingestion.ingestion import get_ingestion
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import retry, submit
from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.warehouse.disk import DiskTooSmallError, free_bytes

MB = 1 << 20


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of 600 MB in memory."""
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-disk-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600m,mode=755", "none", str(folder)], capture_output=True, check=False
    )
    if os.geteuid() != 0 or mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def small_warehouse(disk: Path) -> Iterator[Warehouse]:
    with open_warehouse(Settings(data_dir=disk / "data")) as warehouse:
        yield warehouse


def test_a_file_that_will_not_fit_is_refused_before_anything_is_loaded(small_warehouse, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        write_sample(file, 2_700_000)
    with small_warehouse.connect() as connection:
        free = free_bytes(connection)
        assert 100 * MB < free < 600 * MB
        sent = submit(connection, path, path.name)
        ended = run_ingestion(small_warehouse, int(sent.ingestion.id))
        assert (ended.state, ended.rows_read) == ("failed", 0)
        assert f"has {free / 1e9:,.1f} GB free" in ended.error
        assert abs(free_bytes(connection) - free) < 10 * MB


def test_a_disk_that_fills_loses_nothing_and_once_there_is_room_the_ingestion_goes_on(small_warehouse, disk, tmp_path):
    rows = io.BytesIO()
    write_sample(rows, 100)  # few enough for the window of gzip
    header, body = rows.getvalue().split(b"\n", 1)
    path = tmp_path / "packed.csv.gz"  # packs so well that it seems to need no more than a few MB
    path.write_bytes(gzip.compress(header + b"\n" + body * 6000))
    with small_warehouse.connect() as connection:
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free_bytes(connection) - 70 * MB)
        sent = submit(connection, path, path.name)
        failed = run_ingestion(small_warehouse, int(sent.ingestion.id))
        assert (failed.state, "disk of the database is full" in failed.error) == ("failed", True)
        assert connection.execute("SELECT count(*) FROM silver.trip").fetchone() == (0,)
        ballast.unlink()
        retry(connection, failed.id)
        ended = run_ingestion(small_warehouse, int(failed.id))
        assert (ended.state, ended.rows_loaded) == ("succeeded", 600_000)
        check_sums(connection, get_ingestion(connection, ended.id).id)
    assert shutil.disk_usage(disk).free > 100 * MB


def test_trips_are_not_indexed_where_that_will_not_fit(small_warehouse, disk, tmp_path):
    path = tmp_path / "trips.csv"
    with path.open("wb") as file:
        write_sample(file, 200_000)
    with small_warehouse.connect() as connection:
        sent = submit(connection, path, path.name)
        run_ingestion(small_warehouse, int(sent.ingestion.id))
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free_bytes(connection) - 20 * MB)
        with pytest.raises(DiskTooSmallError, match="indexing 200,000 trips"):
            make_next_segment(small_warehouse, few=1)
        ballast.unlink()
        assert make_next_segment(small_warehouse, few=1) == [int(sent.ingestion.id)]
