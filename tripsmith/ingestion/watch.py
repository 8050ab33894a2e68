"""A watched folder: what is dropped into it goes through all layers, then to done/ or, with the reasons, to failed/.

Links are neither followed nor entered, and nothing outside the folder is read or moved.
"""

import errno
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
from watchfiles import watch as watch_changes
from watchfiles._rust_notify import WatchfilesRustInternalError

from tripsmith.ingestion.follow import carry
from tripsmith.ingestion.ingestion import Ingestion, IngestionConflictError
from tripsmith.ingestion.submission import BadFileError, Options, remove, submit
from tripsmith.sources.stream import SourceError, Stamp, stamp
from tripsmith.sources.writers import is_open_for_writing, is_remote
from tripsmith.warehouse.database import Warehouse, WarehouseError
from tripsmith.words import printable

logger = logging.getLogger(__name__)

DONE, FAILED = "done", "failed"
REASONS_SUFFIX = ".reasons.txt"

# A file that was not written to for so long, and that no program has open for writing, has arrived.
SETTLED_SECONDS = 2.0
# As long where nobody can say who has it open: in network folders, and for files of other users.
UNSURE_SETTLED_SECONDS = 30.0
# After so long a file that is still open is reported.
_HELD_SECONDS = 60.0
# For so long a file in done/ is looked at: what is written to it there is in no ingestion.
_LATE_SECONDS = 60.0
_LOOK_EVERY_MS = 500
# The kernel may drop changes when there are very many at once.
_RESCAN_SECONDS = 60.0
_FILES_AT_ONCE = 2
_UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")
_NAME_MAX_BYTES = 255


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: `path` is its place below the folder, `message` says how it went, for a person."""

    path: Path
    is_done: bool
    message: str

    @property
    def name(self) -> str:
        """The path as text that can be printed, whatever its bytes are."""
        return _printable(self.path)

    def as_json(self) -> dict[str, str | bool]:
        """Return the document that the command line prints."""
        return {"path": self.name, "is_done": self.is_done, "message": self.message}


def watch_folder(
    warehouse: Warehouse,
    folder: Path,
    stop: threading.Event,
    on_taken: Callable[[Taken], None] = lambda taken: None,
    options: Options | None = None,
) -> None:
    """Ingest what is in a folder and its sub-folders, and what comes, until `stop` is set; files at work are finished.

    A file is ingested once it has stopped growing and nobody has it open for writing, several at once; one that is
    written to meanwhile is removed from the warehouse again, and ingested as a whole later. Hidden files, links, and
    files that end as unfinished downloads do, are left alone. While the database is away files wait.
    """
    arrivals = _Arrivals(folder)
    taker = _Taker(warehouse, folder, arrivals, options or Options())
    rescan_at = 0.0
    with ThreadPoolExecutor(_FILES_AT_ONCE, thread_name_prefix="folder") as pool:
        for changed in _changes(folder, stop):
            if time.monotonic() >= rescan_at:
                arrivals.add(folder)
                rescan_at = time.monotonic() + _RESCAN_SECONDS
            for path in changed:
                arrivals.add(path)
            taker.report_late_writers()
            for taken in pool.map(lambda path: None if stop.is_set() else taker.take(path), arrivals.settled()):
                if taken is not None:
                    on_taken(taken)


def _changes(folder: Path, stop: threading.Event) -> Iterator[Sequence[Path]]:
    """Yield what has changed in a folder, twice a second or as soon as something does, until `stop` is set."""
    while not stop.is_set():
        try:
            for changes in watch_changes(
                folder, watch_filter=None, stop_event=stop, yield_on_timeout=True, rust_timeout=_LOOK_EVERY_MS
            ):
                yield [Path(path) for _, path in changes]
        except WatchfilesRustInternalError:
            # It cannot hold a name that is not UTF-8, and drops all changes that came with that one.
            yield [folder]


@dataclass(slots=True)
class _Arrival:
    """A file that is there: its stamp, and when that and the file were first seen."""

    last: Stamp
    since: float
    found_at: float
    is_reported: bool = False


class _Arrivals:
    """The files that are there and not ingested yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._device = folder.stat().st_dev
        self._is_remote = is_remote(folder)
        self._seen: dict[Path, _Arrival] = {}
        self._left: dict[Path, Stamp] = {}
        self._refused: set[Path] = set()

    def add(self, path: Path) -> None:
        """Note a file, or all files of a folder that was moved into place."""
        if path.relative_to(self._folder).parts[:1] in ((DONE,), (FAILED,)):
            return
        for file in self._files(path):
            if self._is_wanted(file):
                now = time.monotonic()
                self._seen.setdefault(file, _Arrival(Stamp(-1, -1), now, now))

    def leave(self, path: Path) -> None:
        """Have a file that cannot be moved left alone until it changes."""
        try:
            self._left[path] = stamp(path)
        except SourceError:
            self._left.pop(path, None)

    def settled(self) -> list[Path]:
        """Return the files that have arrived, in the order of their names, and forget them."""
        settled = []
        for path, arrival in list(self._seen.items()):
            try:
                found = stamp(path)
            except SourceError:
                del self._seen[path]
                continue
            if self._left.get(path) == found:
                del self._seen[path]
            elif self._has_settled(path, arrival, found):
                del self._seen[path]
                self._left.pop(path, None)
                settled.append(path)
            elif found != arrival.last:
                arrival.last, arrival.since = found, time.monotonic()
        return sorted(settled)

    def _has_settled(self, path: Path, arrival: _Arrival, found: Stamp) -> bool:
        quiet = time.monotonic() - arrival.since if found == arrival.last else 0.0
        if not self._is_remote:
            # One that was renamed into place is usually older than our first sight of it; a server's clock may be off.
            quiet = max(quiet, time.time() - found.modified_ns / 1e9)
        if quiet < SETTLED_SECONDS:
            return False
        is_open = None if self._is_remote else is_open_for_writing(path)
        if is_open and not arrival.is_reported and time.monotonic() - arrival.found_at >= _HELD_SECONDS:
            arrival.is_reported = True
            logger.warning(
                "%s waits: a program has it open for writing; it is ingested once that closes it", self._name(path)
            )
        return quiet >= UNSURE_SETTLED_SECONDS if is_open is None else not is_open

    def _files(self, path: Path) -> Iterator[Path]:
        """Yield a file, or the files of a folder and its sub-folders; links, and what is mounted there, are no part."""
        try:
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                yield path
            elif stat.S_ISLNK(status.st_mode):
                self._refuse(path, "is a symbolic link; only files and folders themselves are ingested")
            elif stat.S_ISDIR(status.st_mode) and status.st_dev != self._device:
                self._refuse(path, "is another file system, from which nothing can be moved; watch it by itself")
            elif stat.S_ISDIR(status.st_mode):
                for entry in path.iterdir():
                    if path != self._folder or entry.name not in (DONE, FAILED):
                        yield from self._files(entry)
        except FileNotFoundError:
            return
        except OSError as error:
            self._refuse(path, f"cannot be read: {error.strerror}")

    def _refuse(self, path: Path, reason: str) -> None:
        if path not in self._refused and self._is_named_as_wanted(path):
            self._refused.add(path)
            logger.warning("%s is left alone: it %s", self._name(path), reason)

    def _is_wanted(self, path: Path) -> bool:
        # An event may name a file behind a link.
        return self._is_named_as_wanted(path) and _is_within(self._folder, path)

    def _is_named_as_wanted(self, path: Path) -> bool:
        names = path.relative_to(self._folder).parts
        return not names or (
            names[0] not in (DONE, FAILED)
            and not any(name.startswith(".") for name in names)
            and not names[-1].lower().endswith(_UNFINISHED_SUFFIXES)
        )

    def _name(self, path: Path) -> str:
        return _printable(path.relative_to(self._folder))


class _Taker:
    """Takes files that have arrived through the layers, and moves them."""

    def __init__(self, warehouse: Warehouse, folder: Path, arrivals: _Arrivals, options: Options) -> None:
        self._warehouse = warehouse
        self._folder = folder
        self._arrivals = arrivals
        self._options = options
        self._moving = threading.Lock()
        self._late: dict[Path, tuple[Stamp, float]] = {}

    def take(self, path: Path) -> Taken | None:
        """Ingest a file and move it; return None where it stays, for now or until it changes."""
        name = path.relative_to(self._folder)
        try:
            return self._ingest(path, name)
        except (psycopg.OperationalError, WarehouseError) as error:
            logger.warning("%s waits: %s", _printable(name), str(error).strip())
        except Exception:
            # One file must not keep the others out.
            logger.exception("%s failed, which is a defect to be reported; it is left where it is", _printable(name))
            self._arrivals.leave(path)
        return None

    def report_late_writers(self) -> None:
        """Warn of files in done/ that were written to since."""
        now = time.monotonic()
        for target, (moved, until) in list(self._late.items()):
            try:
                found = stamp(target)
            except SourceError:
                found = moved
            if found != moved:
                logger.warning(
                    "%s was written to after it was ingested, from %s to %s bytes: what came late is NOT in the"
                    " warehouse; remove its ingestion and drop the whole file again",
                    _printable(target.relative_to(self._folder)),
                    f"{moved.size:,}",
                    f"{found.size:,}",
                )
            if found != moved or now >= until:
                del self._late[target]

    def _ingest(self, path: Path, name: Path) -> Taken | None:
        if not _is_within(self._folder, path):
            return None
        try:
            begun_with = stamp(path)
            with self._warehouse.connect() as connection:
                sent = submit(connection, path, str(name), self._options, cut=True)
            if not sent.is_new and sent.ingestion.state == "succeeded":
                ended, message = sent.ingestion, f"is in the warehouse already, as {sent.where}"
            else:
                ended = carry(self._warehouse, int(sent.ingestion.id), lambda ingestion: None, chunks=sent.chunks)
                message = f"ingestion {ended.id}: {ended.message}"
            is_whole = stamp(path) == begun_with and not is_open_for_writing(path)
        except (BadFileError, IngestionConflictError) as error:
            return self._move(path, name, FAILED, str(error)) if _is_within(self._folder, path) else None
        if not is_whole:
            self._take_back(name, ended, is_ours=sent.is_new)
            self._arrivals.add(path)
            return None
        if ended.state == "succeeded":
            return self._move(path, name, DONE, message)
        return self._move(path, name, FAILED, f"ingestion {ended.id} {ended.state}: {ended.error or ended.message}")

    def _take_back(self, name: Path, ended: Ingestion, *, is_ours: bool) -> None:
        """Remove the ingestion of a file that was written to meanwhile: the whole file will hold its rows again."""
        if ended.state == "succeeded" and is_ours:
            with self._warehouse.connect() as connection:
                remove(connection, ended.id)
            logger.warning(
                "%s was written to while it was ingested: ingestion %s, %s trips, is removed again, and"
                " the whole file is ingested once nobody writes to it",
                _printable(name),
                ended.id,
                f"{ended.rows_loaded:,}",
            )
        else:
            logger.warning(
                "%s was written to while it was ingested; the whole file is ingested once nobody writes to it",
                _printable(name),
            )

    def _move(self, path: Path, name: Path, where: str, message: str) -> Taken | None:
        """Move a file out of the way, and put the reasons beside a failed one; return None where that cannot be."""
        try:
            with self._moving:
                target = _free_name(_make_folder(self._folder, Path(where, *name.parts[:-1])), name.name)
                moved = stamp(path)
                path.rename(target)
        except (OSError, SourceError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            logger.warning(
                "%s: %s; it cannot be moved to %s/ (%s), and is left where it is",
                _printable(name),
                message,
                where,
                reason,
            )
            self._arrivals.leave(path)
            return None
        if where == DONE:
            self._late[target] = (moved, time.monotonic() + _LATE_SECONDS)
        else:
            _write_reasons(target, f"{_printable(name)}: {message}\n")
        return Taken(name, where == DONE, message)


def _is_within(folder: Path, path: Path) -> bool:
    """Whether a path is a file, and no part of it below the folder is a link."""
    names = path.relative_to(folder).parts
    try:
        modes = [folder.joinpath(*names[: count + 1]).lstat().st_mode for count in range(len(names))]
    except OSError:
        return False
    return bool(modes) and all(map(stat.S_ISDIR, modes[:-1])) and stat.S_ISREG(modes[-1])


def _make_folder(folder: Path, below: Path) -> Path:
    """Return a folder below another, made if need be. Raises OSError where a part of it is a link or a file."""
    for name in below.parts:
        folder /= name
        try:
            folder.mkdir()
        except FileExistsError:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, f"{_printable(folder)} is not a folder") from None
    return folder


def _free_name(folder: Path, name: str) -> Path:
    """Return a path in a folder that is free, as its reasons are: the name, numbered and shortened as needed."""
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        end = (f"-{number}" if number > 1 else "") + suffix
        room = _NAME_MAX_BYTES - len(os.fsencode(end)) - len(REASONS_SUFFIX)
        shown = stem if len(os.fsencode(stem)) <= room else os.fsencode(stem)[: max(room, 1)].decode(errors="ignore")
        target = folder / (shown + end)
        if not os.path.lexists(target) and not os.path.lexists(_reasons_of(target)):
            return target
        number += 1


def _reasons_of(target: Path) -> Path:
    return target.with_name(target.name + REASONS_SUFFIX)


def _write_reasons(target: Path, text: str) -> None:
    try:
        with _reasons_of(target).open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        logger.warning("the reasons cannot be written (%s): %s", error.strerror, text.strip())


def _printable(path: Path) -> str:
    """Return a path as text that any terminal, log and file takes: what is not printable is escaped."""
    return printable(os.fsencode(path).decode(errors="backslashreplace"))
