"""A watched folder: what is dropped into it goes through all layers, then to done/ or, with the reasons, to failed/."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
from watchfiles import watch as watch_changes

from tripsmith.ingestion.carry import carry
from tripsmith.ingestion.ingestion import IngestionConflictError
from tripsmith.ingestion.submission import BadFileError, Options, submit
from tripsmith.sources.stream import SourceError, Stamp, stamp
from tripsmith.warehouse.database import Warehouse, WarehouseError

logger = logging.getLogger(__name__)

DONE, FAILED = "done", "failed"
REASONS_SUFFIX = ".reasons.txt"

# A file that was not written to for so long has arrived; one that was renamed into place usually is older.
SETTLED_SECONDS = 2.0
_LOOK_EVERY_MS = 500
# The kernel may drop changes when there are very many at once.
_RESCAN_SECONDS = 60.0
_FILES_AT_ONCE = 2
_UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: `path` is its place below the folder, `message` says how it went, for a person."""

    path: Path
    is_done: bool
    message: str

    def as_json(self) -> dict[str, str | bool]:
        """Return the document that the command line prints."""
        return {"path": str(self.path), "is_done": self.is_done, "message": self.message}


def watch_folder(
    warehouse: Warehouse,
    folder: Path,
    stop: threading.Event,
    on_taken: Callable[[Taken], None] = lambda taken: None,
    options: Options | None = None,
) -> None:
    """Ingest what is in a folder and its sub-folders, and what comes, until told to stop; files at work are finished.

    A file is taken once it has stopped growing, several at once. Hidden files, and those that end as unfinished
    downloads do, are left alone. While the database is away files wait.
    """
    arrivals = _Arrivals(folder)
    rescan_at = 0.0
    with ThreadPoolExecutor(_FILES_AT_ONCE, thread_name_prefix="folder") as pool:
        for changes in watch_changes(
            folder, watch_filter=None, stop_event=stop, yield_on_timeout=True, rust_timeout=_LOOK_EVERY_MS
        ):
            if time.monotonic() >= rescan_at:
                arrivals.add(folder)
                rescan_at = time.monotonic() + _RESCAN_SECONDS
            for _, changed in changes:
                arrivals.add(Path(changed))

            def take(path: Path) -> Taken | None:
                return None if stop.is_set() else _take(warehouse, folder, path, options or Options())

            for taken in pool.map(take, arrivals.settled()):
                if taken is not None:
                    on_taken(taken)


class _Arrivals:
    """The files that are there and not taken yet, each with its stamp and when that was first seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[Stamp, float]] = {}

    def add(self, path: Path) -> None:
        """Note a file, or all files of a folder that was moved into place."""
        for file in _files(path) if path.is_dir() else (path,):
            if self._is_wanted(file):
                self._seen.setdefault(file, (Stamp(-1, -1), 0.0))

    def settled(self) -> list[Path]:
        """Return the files that have stopped growing, in the order of their names, and forget them."""
        settled = []
        for path, (last, since) in list(self._seen.items()):
            try:
                found = stamp(path)
            except SourceError:
                del self._seen[path]
                continue
            now = time.monotonic()
            if time.time() - found.modified_ns / 1e9 >= SETTLED_SECONDS or (
                found == last and now - since >= SETTLED_SECONDS
            ):
                del self._seen[path]
                settled.append(path)
            elif found != last:
                self._seen[path] = (found, now)
        return sorted(settled)

    def _is_wanted(self, path: Path) -> bool:
        names = path.relative_to(self._folder).parts
        return (
            names[0] not in (DONE, FAILED)
            and not any(name.startswith(".") for name in names)
            and not names[-1].lower().endswith(_UNFINISHED_SUFFIXES)
            and path.is_file()
        )


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path


def _take(warehouse: Warehouse, folder: Path, path: Path, options: Options) -> Taken | None:
    """Ingest a file and move it; return None where it stays, to be taken later."""
    name = path.relative_to(folder)
    try:
        begun_with = stamp(path)
        with warehouse.connect() as connection:
            sent = submit(connection, path, str(name), options, cut=True)
        if not sent.is_new and sent.ingestion.state == "succeeded":
            return _move(folder, name, DONE, f"is in the warehouse already, as {sent.where}")
        ended = carry(warehouse, int(sent.ingestion.id), lambda ingestion: None, chunks=sent.chunks)
        if ended.state == "succeeded":
            return _move(folder, name, DONE, f"ingestion {ended.id}: {ended.message}")
        if stamp(path) != begun_with:
            return None  # it was still being written; the change brings it here again
        return _move(folder, name, FAILED, f"ingestion {ended.id} {ended.state}: {ended.error or ended.message}")
    except (BadFileError, IngestionConflictError) as error:
        return _move(folder, name, FAILED, str(error)) if path.is_file() else None
    except (psycopg.OperationalError, WarehouseError) as error:
        logger.warning("%s waits: %s", name, error)
        return None


def _move(folder: Path, name: Path, where: str, message: str) -> Taken:
    """Move a file out of the way, its name told from one that is there already; put the reasons beside a failed one."""
    target, number = folder / where / name, 1
    target.parent.mkdir(parents=True, exist_ok=True)
    while target.exists():
        number += 1
        target = target.with_name(f"{name.stem}-{number}{name.suffix}")
    (folder / name).rename(target)
    if where == FAILED:
        target.with_name(target.name + REASONS_SUFFIX).write_text(f"{name}: {message}\n")
    return Taken(name, where == DONE, message)
