"""The disk that the database lies on, where that is this machine's."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.warehouse", "disk.sql")

# Measured: 5 million rows of 120 bytes take 1.43 times the file in bronze, 0.98 in silver and 0.02 in gold.
LAYERS_PER_CSV_BYTE = 2.43
# Measured: 10 million trips of a segment take 1.0 GB, and what is sorted at once lies beside it meanwhile.
SEGMENT_BYTES_PER_TRIP = 150


class DiskTooSmallError(Exception):
    """What is to be stored will not fit; the message says how much there is, and how much is needed."""


def check_room(connection: Connection[Any], csv_bytes: int) -> None:
    """Raise DiskTooSmallError when so many bytes of CSV will not fit in all layers, if the disk can be known."""
    free = free_bytes(connection)
    needed = int(csv_bytes * LAYERS_PER_CSV_BYTE)
    if free is not None and needed > free:
        raise DiskTooSmallError(
            f"The disk of the database has {free / 1e9:,.1f} GB free, and the file will take about"
            f" {needed / 1e9:,.1f} GB in all layers; make room and retry."
        )


def check_segment_room(connection: Connection[Any], trips: int) -> None:
    """Raise DiskTooSmallError when a segment of so many trips will not fit, if the disk can be known."""
    free, needed = free_bytes(connection), trips * SEGMENT_BYTES_PER_TRIP
    if free is not None and needed > free:
        raise DiskTooSmallError(
            f"The disk of the database has {free / 1e9:,.1f} GB free, and indexing {trips:,} trips takes about"
            f" {needed / 1e9:,.1f} GB; answers are right without, and slower."
        )


def free_bytes(connection: Connection[Any]) -> int | None:
    """Return the free bytes of the database's disk; None when it is another machine's, or not told to us."""
    # A server behind a socket shares our file system, as one on a port of loopback need not.
    if not connection.info.host.startswith("/"):
        return None
    try:
        row = connection.execute(QUERIES["data_directory"]).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    try:
        return shutil.disk_usage(Path(row[0])).free if row else None
    except OSError:  # of another container, say, or closed to us
        return None
