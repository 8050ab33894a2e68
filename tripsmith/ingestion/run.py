"""One ingestion, from file to gold: chunks through bronze and silver on several connections, then gold and success."""

import logging
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import Connection

from tripsmith.ingestion import chunk as chunk_store
from tripsmith.ingestion.chunk import Lane, StoredChunk
from tripsmith.ingestion.ingestion import QUERIES as INGESTION_QUERIES
from tripsmith.ingestion.ingestion import Ingestion, get_ingestion
from tripsmith.ingestion.notes import add_note, settle_notes
from tripsmith.ingestion.outcome import NothingLoadedError, check_outcome
from tripsmith.ingestion.overlap import OverlapError, settle_overlap
from tripsmith.ingestion.ownership import claim
from tripsmith.ingestion.progress import INTERVAL_SECONDS, QUERIES, CancelledError, Progress
from tripsmith.note import Note
from tripsmith.rejection_limit import RejectionLimit, parse_limit
from tripsmith.sources.chunks import Chunk, chunk_size, cut
from tripsmith.sources.header import inspect
from tripsmith.sources.stream import SourceError, Stamp, digest, open_stream, stamp
from tripsmith.warehouse import lot
from tripsmith.warehouse.bronze.table import SHARED, BronzeTable, bronze_table
from tripsmith.warehouse.database import Warehouse, WarehouseError
from tripsmith.warehouse.disk import DiskTooSmallError, check_room
from tripsmith.warehouse.gold.count import add_shared
from tripsmith.warehouse.silver.load import SilverLoad
from tripsmith.warehouse.silver.trip_sample import take_sample
from tripsmith.words import counted

logger = logging.getLogger(__name__)

# As many as cores: one more gained nothing (docs/performance.md).
LANES = min(8, max(2, os.cpu_count() or 1))


# Trips pack to a fifth or a tenth: a disk that has no room for a fifth will not do.
USUAL_UNPACKED_RATIO = 5

# What an option may replace, and what people call it.
_OVERRIDES: dict[Literal["region", "datasource"], str] = {"region": "region", "datasource": "data source"}


@dataclass(frozen=True, slots=True)
class _Job:
    """The row of ops.ingestion that a run works on."""

    id: int
    source_path: str
    owns_source: bool
    format: str
    encoding: str
    region: str | None
    datasource: str | None
    override_region: str | None
    override_datasource: str | None
    max_rejected: str | None
    lot: int | None
    bytes_total: int
    source_modified_ns: int
    sha256: bytes
    chunk_bytes: int | None
    cancel_requested: bool
    refuse_overlap: bool
    members: list[int] | None

    @property
    def only(self) -> frozenset[int] | None:
        """The members of an archive that are loaded; None for all."""
        return frozenset(self.members) if self.members is not None else None

    @property
    def path(self) -> Path:
        return Path(self.source_path)

    @property
    def given(self) -> frozenset[str]:
        return frozenset(name for name in ("region", "datasource") if getattr(self, name) is not None)

    @property
    def limit(self) -> RejectionLimit | None:
        return None if self.max_rejected is None else parse_limit(self.max_rejected)


def run_ingestion(
    warehouse: Warehouse,
    ingestion_id: int,
    on_change: Callable[[Ingestion], None] = lambda ingestion: None,
    chunks: Sequence[Chunk] = (),
) -> Ingestion | None:
    """Take a queued ingestion, or one that lost its owner, to its end; return it as it is then.

    `chunks` are those of its file, where somebody has cut it already.
    Returns None, having done nothing, when another process is at it. A file that cannot be read, a full disk and a
    cancellation end in the ingestion's state. A lost connection raises psycopg.OperationalError or WarehouseError: the
    ingestion then waits, as it is, for the next to own it.
    """
    with warehouse.connect() as connection, claim(connection, ingestion_id) as claimed:
        if not claimed:
            return None
        row = connection.execute(QUERIES["start"], {"id": ingestion_id}).fetchone()
        if row is not None:
            _run(warehouse, connection, _Job(ingestion_id, *row), on_change, chunks)
        ended = get_ingestion(connection, ingestion_id)
        on_change(ended)
        return ended


def waiting_ingestions(connection: Connection[Any]) -> list[tuple[int, Path]]:
    """Return id and file of what is queued or running, the latter perhaps without an owner, oldest first."""
    return [(ingestion_id, Path(path)) for ingestion_id, path in connection.execute(QUERIES["list_waiting"])]


def give_up(connection: Connection[Any], ingestion_id: int, error: str) -> None:
    """Fail an ingestion that nobody is to try again by itself; nothing happens where another process is at it."""
    with claim(connection, ingestion_id) as claimed:
        if claimed and connection.execute(QUERIES["start"], {"id": ingestion_id}).rowcount:
            connection.execute(QUERIES["fail"], {"id": ingestion_id, "error": error})


def _run(
    warehouse: Warehouse,
    connection: Connection[Any],
    job: _Job,
    on_change: Callable[[Ingestion], None],
    chunks: Sequence[Chunk],
) -> None:
    try:
        if job.cancel_requested:
            raise CancelledError
        _carry_through(warehouse, connection, job, on_change, chunks)
    except CancelledError:
        connection.execute(QUERIES["cancel"], {"id": job.id})
    except NothingLoadedError as error:
        _fail_whole(connection, job.id, error)
    except OverlapError as error:
        connection.execute(QUERIES["fail_uncounted"], {"id": job.id, "error": str(error)})
    except (SourceError, DiskTooSmallError) as error:
        connection.execute(QUERIES["fail"], {"id": job.id, "error": str(error)})
    except psycopg.errors.DiskFull as error:
        message = (
            f"The disk of the database is full ({error.diag.message_primary}); nothing is lost: make room and retry."
        )
        connection.execute(QUERIES["fail"], {"id": job.id, "error": message})
    except psycopg.errors.ProgramLimitExceeded as error:
        # Another try would end the same way.
        message = f"PostgreSQL cannot hold what is in the file ({error.diag.message_primary})."
        connection.execute(QUERIES["fail"], {"id": job.id, "error": message})
    except (psycopg.OperationalError, WarehouseError):
        raise
    except Exception as error:
        logger.exception("ingestion %s failed", job.id)
        message = f"Tripsmith failed, which is a defect to be reported: {error}"
        connection.execute(QUERIES["fail"], {"id": job.id, "error": message})
    else:
        if job.owns_source:
            job.path.unlink(missing_ok=True)


def _carry_through(
    warehouse: Warehouse,
    connection: Connection[Any],
    job: _Job,
    on_change: Callable[[Ingestion], None],
    cut_before: Sequence[Chunk],
) -> None:
    layout = inspect(job.path, job.encoding, job.format, job.given, job.only)
    done = chunk_store.total(connection, job.id)
    _check_unchanged(job, resumed=done.source_bytes > 0)
    progress = Progress(connection, job.id, done, job.bytes_total, on_change)
    progress.tell()
    table = bronze_table(connection, layout)
    with open_stream(job.path, job.encoding, job.only) as stream:
        size = job.chunk_bytes or chunk_size(job.bytes_total)
        chunks = iter(cut_before) if _is_cut(job, cut_before, stream.stamp) else cut(stream, layout, size)
        first = list(islice(chunks, 2))
        if not first:
            raise SourceError("The file has a header and no rows.")
        if len(first) > 1:
            check_room(connection, _unpacked_bytes(job.bytes_total - done.source_bytes, stream.is_plain))
        lot_id = _choose_lot(connection, job, table, size, layout.delimiter, small=len(first) == 1)
        region, datasource = job.override_region or job.region, job.override_datasource or job.datasource
        load = SilverLoad(layout, table, lot_id, job.id, region, datasource)
        if lot_id == SHARED:
            _store_small(warehouse, job, load, first[0], progress)
            return
        _store_large(warehouse, connection, load, chain(first, chunks), progress)
    progress.enter("silver")
    done = chunk_store.total(connection, job.id)
    message = check_outcome(connection, job.id, done, job.limit)
    progress.enter("gold")
    with connection.transaction():
        lines = chunk_store.lines(connection, job.id)
        _note_overrides(connection, job, load, lines)
        settle_notes(connection, job.id)
        take_sample(connection, job.id, lot_id, lines, done.rows_loaded)
        lot_id = lot.publish(connection, table, lot_id, lines)
        settle_overlap(connection, job.id, done.rows_loaded, is_refused=job.refuse_overlap)
        if lot_id == SHARED:
            chunk_store.merge(connection, job.id)
        connection.execute(QUERIES["succeed"], {"id": job.id, "lot": lot_id, "message": message})


def _is_cut(job: _Job, chunks: Sequence[Chunk], present: Stamp) -> bool:
    """Whether chunks are what cutting the file as it is now would give."""
    return bool(chunks) and job.chunk_bytes is None and (chunks[0].path, chunks[0].stamp) == (job.path, present)


def _unpacked_bytes(source_bytes: int, is_plain: bool) -> int:
    return source_bytes if is_plain else source_bytes * USUAL_UNPACKED_RATIO


def _check_unchanged(job: _Job, *, resumed: bool) -> None:
    """Raise SourceError unless the file is as submitted; it is read for that if resumed, or written to since."""
    found = stamp(job.path)
    if found == Stamp(job.bytes_total, job.source_modified_ns) and not resumed:
        return
    if found.size != job.bytes_total or digest(job.path) != job.sha256:
        raise SourceError("The file has changed since it was submitted; submit it again.")


def _choose_lot(
    connection: Connection[Any], job: _Job, table: BronzeTable, chunk_bytes: int, delimiter: bytes, *, small: bool
) -> int:
    # Were it cut otherwise than before, a file that is now several chunks has nothing in the shared lot yet.
    if job.lot is not None and (small or job.lot != SHARED):
        return job.lot
    lot_id = SHARED if small else job.id
    parameters = {
        "id": job.id,
        "header_id": table.header_id,
        "lot": lot_id,
        "chunk_bytes": chunk_bytes,
        "delimiter": delimiter.decode(),
    }
    connection.execute(QUERIES["set_table"], parameters)
    return lot_id


def _store_small(warehouse: Warehouse, job: _Job, load: SilverLoad, chunk: Chunk, progress: Progress) -> None:
    """Take a file of one chunk through all layers in one transaction; of one that fails, rejected rows are kept."""
    failure = None
    with Lane(warehouse, load) as lane, lane.connection.transaction():
        for query in ("lock_attempt", "clear_attempt"):
            lane.connection.execute(QUERIES[query], {"id": job.id})
        done = lane.store(chunk, on_copied=lambda: progress.enter("silver"))
        progress.add(done)
        try:
            message = check_outcome(lane.connection, job.id, done, job.limit)
        except NothingLoadedError as error:
            failure = error
            _withdraw(lane.connection, load)
            is_ours = _fail_whole(lane.connection, job.id, error)
        else:
            progress.enter("gold")
            lines = [chunk_store.chunk_lines(chunk)]
            take_sample(lane.connection, job.id, SHARED, lines, done.rows_loaded)
            add_shared(lane.connection, job.id)
            settle_overlap(lane.connection, job.id, done.rows_loaded, is_refused=job.refuse_overlap)
            _note_overrides(lane.connection, job, load, lines)
            settle_notes(lane.connection, job.id)
            parameters = {"id": job.id, "lot": SHARED, "message": message}
            is_ours = lane.connection.execute(QUERIES["succeed"], parameters).rowcount == 1
        if not is_ours:
            # An owner that was killed while it committed has ended it meanwhile: gold may have these trips already.
            raise psycopg.Rollback
    chunk.discard()
    if failure is not None:
        raise failure


def _fail_whole(connection: Connection[Any], ingestion_id: int, error: NothingLoadedError) -> bool:
    """Have an ingestion fail of which nothing is to be seen; return False where it was not running any more."""
    done = error.done
    parameters = {"error": str(error), "rows_read": done.rows_read, "rows_rejected": done.rows_rejected}
    return connection.execute(QUERIES["fail_whole"], {"id": ingestion_id, **parameters}).rowcount == 1


def _withdraw(connection: Connection[Any], load: SilverLoad) -> None:
    """Take what a small ingestion has stored out of bronze and silver, but for its rejected rows."""
    lot.withdraw_shared(connection, load.bronze, load.ingestion_id)
    for query in ("delete_malformed_lines", "delete_marks", "delete_chunks"):
        connection.execute(INGESTION_QUERIES[query], {"id": load.ingestion_id})


def _note_overrides(connection: Connection[Any], job: _Job, load: SilverLoad, lines: Sequence[range]) -> None:
    """Give an ingestion a note for each column of its file that an option replaces: of how many rows, and by what."""
    for kind, noun in _OVERRIDES.items():
        name = getattr(job, f"override_{kind}")
        if name is not None:
            rows = sum(load.count_replaced(connection, kind, chunk) for chunk in lines)
            message = f"The {noun} of {counted(rows, 'row')} was replaced by {name}, as override_{kind} asks."
            add_note(connection, job.id, Note(f"override_{kind}", message, {"rows": rows, "name": name}))


def _store_large(
    warehouse: Warehouse, connection: Connection[Any], load: SilverLoad, chunks: Iterator[Chunk], progress: Progress
) -> None:
    """Take chunks through bronze and silver, several at once; those that are done already are only compared."""
    stored = chunk_store.stored_chunks(connection, load.ingestion_id)
    with ExitStack() as stack:
        lanes: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for _ in range(LANES):
            lanes.put(stack.enter_context(Lane(warehouse, load)))
        copied: queue.SimpleQueue[int] = queue.SimpleQueue()
        pool = stack.enter_context(ThreadPoolExecutor(LANES, thread_name_prefix="lane"))

        def store(chunk: Chunk) -> StoredChunk:
            lane = lanes.get()
            try:
                return lane.store(chunk, on_copied=lambda: copied.put(chunk.number))
            finally:
                chunk.discard()
                lanes.put(lane)

        running: set[Future[StoredChunk]] = set()
        submitted = 0
        for chunk in chunks:
            known = stored.get(chunk.number)
            if known is not None:
                if known != (chunk.offset, chunk.length):
                    raise chunk_store.different_file(chunk)
                chunk.discard()
                continue
            running.add(pool.submit(store, chunk))
            submitted += 1
            # One chunk waits while the lanes work: more would only hold memory.
            while len(running) > LANES:
                running = _settle(running, progress)
        while running:
            if copied.qsize() == submitted:
                progress.enter("silver")
            running = _settle(running, progress)


def _settle(running: set[Future[StoredChunk]], progress: Progress) -> set[Future[StoredChunk]]:
    """Wait for a chunk to be done, no longer than until it is time to tell; return those that still run."""
    done, rest = wait(running, timeout=INTERVAL_SECONDS, return_when=FIRST_COMPLETED)
    for future in done:
        progress.add(future.result())
    progress.tell_in_time()
    return rest
