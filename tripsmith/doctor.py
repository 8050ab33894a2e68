"""A check-up: what Tripsmith needs, whether it is there, and what to do where it is not."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from tripsmith import __version__
from tripsmith.settings import Settings
from tripsmith.warehouse.database import WarehouseError, open_warehouse
from tripsmith.warehouse.disk import LAYERS_PER_CSV_BYTE, SEGMENT_BYTES_PER_TRIP
from tripsmith.warehouse.migrations import names

_LOW_DISK_BYTES = 5_000_000_000
_NEEDED = (
    f"CSV takes about {LAYERS_PER_CSV_BYTE:.1f} times its uncompressed size in the three layers,"
    f" and indexing it takes up to {SEGMENT_BYTES_PER_TRIP} bytes more per trip"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    is_good: bool
    detail: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `--json` shows it."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing but the embedded server is started."""
    checks: tuple[Callable[[Settings], Finding], ...] = (_version, _machine, _disk, _database)
    return [check(settings) for check in checks]


def _version(_: Settings) -> Finding:
    return Finding("tripsmith", True, __version__)


def _machine(_: Settings) -> Finding:
    memory = psutil.virtual_memory()
    return Finding("machine", True, f"{psutil.cpu_count()} cores, {memory.total / 1e9:.1f} GB of memory")


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free at {settings.data_dir}"
    if free < _LOW_DISK_BYTES:
        return Finding("disk", False, f"{detail}; {_NEEDED}")
    return Finding("disk", True, detail)


def _database(settings: Settings) -> Finding:
    try:
        with open_warehouse(settings) as warehouse, warehouse.connect() as connection:
            version = connection.info.parameter_status("server_version")
    except WarehouseError as error:
        return Finding("database", False, str(error))
    where = "given by TRIPSMITH_DATABASE_URL" if settings.database_url else "embedded"
    return Finding("database", True, f"PostgreSQL {version}, {where}, {len(names())} migrations applied")
