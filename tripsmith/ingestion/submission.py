"""What people ask of ingestions: submit a file, cancel, retry, remove, see what was rejected."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from tripsmith.ingestion.chunk import lines as chunk_lines
from tripsmith.ingestion.ingestion import (
    QUERIES,
    UNFINISHED,
    Ingestion,
    IngestionConflictError,
    RejectedRow,
    get_ingestion,
)
from tripsmith.ingestion.ownership import claim
from tripsmith.ingestion.segments import interrupt, leave_segment
from tripsmith.names import clean, is_missing, name_key
from tripsmith.rejection_limit import parse_limit
from tripsmith.sources.chunks import Chunk, chunk_size, cut_ahead
from tripsmith.sources.layout import Layout, check_format, inspect
from tripsmith.sources.stream import SourceError, digest, known_encoding, stamp
from tripsmith.warehouse import lot
from tripsmith.warehouse.bronze.table import SHARED, BronzeTable
from tripsmith.warehouse.silver.names import MAX_NAME_CHARACTERS

BadFileError = SourceError

# The columns of names, whose values an option can give.
NAME_COLUMNS = ("region", "datasource")

_LETTING_GO_SECONDS = 10
# What the content of a file is known with.
_KEPT = ("format", "encoding", "region", "datasource", "override_region", "override_datasource")


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read: its format and encoding, and the region or source of all of its rows.

    `region` and `datasource` are for a file that has no such column, `override_region` and `override_datasource`
    replace the values of one that has. `max_rejected` is how many rows may be rejected, such as `100` or `5%`.
    """

    format: str | None = None
    region: str | None = None
    datasource: str | None = None
    encoding: str | None = None
    override_region: str | None = None
    override_datasource: str | None = None
    max_rejected: str | None = None

    @property
    def given(self) -> frozenset[str]:
        """The columns whose values options give."""
        return frozenset(name for name in NAME_COLUMNS if self.names(name))

    def names(self, column: str) -> list[str]:
        """Return which options give the values of a column."""
        return [option for option in (column, f"override_{column}") if getattr(self, option) is not None]


class BadOptionError(BadFileError):
    """An option that no file can be read with, or not this one; `parameter` names it."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Submission:
    """The ingestion of a file's content, whether this submission started or resumed it, and if it has the file sent.

    `chunks` are those of the file, where they are known already.
    """

    ingestion: Ingestion
    is_new: bool
    has_file: bool
    chunks: Sequence[Chunk] = ()


def submit(
    connection: Connection[Any],
    path: Path,
    file_name: str,
    options: Options | None = None,
    *,
    owns_source: bool = False,
    sha256: bytes | None = None,
    cut: bool = False,
) -> Submission:
    """Queue a file for ingestion, unless its content is in the warehouse or on its way already.

    `file_name` is a label. With `owns_source` the file is deleted once it is in the warehouse. `sha256` is the digest
    of the file, where it is known. With `cut` its chunks are found beside the digest, for a caller who runs the
    ingestion too. Raises BadFileError for a file or an option that cannot be accepted, IngestionConflictError when its
    content came before with other options; one that failed and of which nothing was loaded makes way.
    """
    options = options or Options()
    check_options(options)
    if not _is_storable(f"{path}{file_name}"):
        raise BadFileError("The name of the file is not UTF-8; rename it.")
    encoding = known_encoding(options.encoding)
    layout = inspect(path, encoding, options.format, options.given)
    _check_columns(layout, options)
    # Taken before the digest: a file that is still being written will be found to have changed.
    submitted = stamp(path)
    chunks: Sequence[Chunk] = ()
    if cut and sha256 is None and submitted.size > chunk_size(submitted.size):
        sha256, chunks = _digest_and_cut(path.absolute(), encoding, layout)
    parameters = {
        "file_name": clean(file_name) or file_name,
        "source_path": str(path.absolute()),
        "owns_source": owns_source,
        "sha256": sha256 or digest(path),
        "format": layout.format.name,
        "encoding": encoding,
        "region": _cleaned(options.region),
        "datasource": _cleaned(options.datasource),
        "override_region": _cleaned(options.override_region),
        "override_datasource": _cleaned(options.override_datasource),
        "max_rejected": options.max_rejected,
        "bytes_total": submitted.size,
        "source_modified_ns": submitted.modified_ns,
    }
    replaced, has_file = None, True
    with connection.transaction():
        connection.execute(QUERIES["lock_content"], parameters)
        known = connection.execute(QUERIES["find_content"], parameters).fetchone()
        asked = [parameters[name] for name in _KEPT]
        if known is not None and _compared(known[5:]) != _compared(asked):
            replaced = _make_way(connection, known, asked)
            known = None
        if known is None:
            row = connection.execute(QUERIES["insert_ingestion"], parameters).fetchone()
            ingestion_id, is_new = (row[0] if row else 0), True
        else:
            ingestion_id, state, _, known_path, owns_known, *_ = known
            is_new = state in ("failed", "cancelled")
            has_file = is_new or (known_path == parameters["source_path"] and state in UNFINISHED)
            if is_new:
                connection.execute(QUERIES["requeue"], {**parameters, "id": ingestion_id})
                replaced = Path(known_path) if owns_known and known_path != parameters["source_path"] else None
    if replaced is not None:
        replaced.unlink(missing_ok=True)
    return Submission(get_ingestion(connection, ingestion_id), is_new, has_file, chunks)


def _make_way(connection: Connection[Any], known: tuple[Any, ...], asked: list[Any]) -> Path | None:
    """Remove a failed ingestion that content was sent for with other options; return its file if it is to be deleted.

    Raises IngestionConflictError for any other ingestion, and for one that has loaded rows and could go on.
    """
    number, state, rows_loaded, known_path, owns_known, *kept = known
    if state == "failed" and not rows_loaded and connection.execute(QUERIES["lock_failed"], {"id": number}).rowcount:
        _take_out(connection, number, "Replaced: the same file was sent with other options.")
        return Path(known_path) if owns_known else None
    raise IngestionConflictError(
        f"This content is ingestion {number} already, with {_describe(kept)} and not {_describe(asked)}; remove that"
        " one first to have it otherwise."
    )


def _digest_and_cut(path: Path, encoding: str, layout: Layout) -> tuple[bytes, Sequence[Chunk]]:
    """Return the digest of a file and its chunks: hashing keeps one core busy, and cutting is due anyway."""
    with ThreadPoolExecutor(1, thread_name_prefix="cut") as beside:
        chunks = beside.submit(cut_ahead, path, encoding, layout)
        return digest(path), chunks.result()


def cancel(connection: Connection[Any], ingestion_id: str | int) -> Ingestion:
    """Ask an ingestion to stop; it keeps its chunks, and `retry` goes on from them."""
    found = get_ingestion(connection, ingestion_id)
    if found.is_finished:
        raise IngestionConflictError(
            f"Ingestion {found.id} is {found.state}; only one that is not finished can be cancelled."
        )
    with claim(connection, int(found.id)) as claimed:
        query = "cancel_now" if claimed else "request_cancel"
        connection.execute(QUERIES[query], {"id": int(found.id)})
    return get_ingestion(connection, ingestion_id)


def retry(connection: Connection[Any], ingestion_id: str | int) -> Ingestion:
    """Queue a failed or cancelled ingestion again; it goes on from its last chunk."""
    found = get_ingestion(connection, ingestion_id)
    if found.state not in ("failed", "cancelled"):
        raise IngestionConflictError(
            f"Ingestion {found.id} is {found.state}; only one that failed or was cancelled can be tried again."
        )
    source_path = Path(_source(connection, int(found.id))[0])
    if not source_path.is_file():
        raise IngestionConflictError(f"The file of ingestion {found.id} is no longer at hand; send it again.")
    connection.execute(QUERIES["requeue_as_is"], {"id": int(found.id)})
    return get_ingestion(connection, ingestion_id)


def remove(connection: Connection[Any], ingestion_id: str | int) -> Ingestion:
    """Take an ingestion out of all three layers; one that is running has to be cancelled first."""
    found = get_ingestion(connection, ingestion_id)
    number = int(found.id)
    if found.state == "removed":
        raise IngestionConflictError(f"Ingestion {found.id} is removed already.")
    # Whoever has brought it to its end is about to let go of it.
    with claim(connection, number, _LETTING_GO_SECONDS if found.is_finished else 0) as claimed:
        if not claimed:
            raise IngestionConflictError(f"Ingestion {found.id} is running; cancel it first.")
        interrupt(connection)
        with connection.transaction():
            source_path, owns_source = _take_out(connection, number, "Removed from all layers.")
    if owns_source:
        Path(source_path).unlink(missing_ok=True)
    return get_ingestion(connection, ingestion_id)


def _take_out(connection: Connection[Any], number: int, message: str) -> tuple[str, bool]:
    """Take an ingestion out of all layers, within the caller's transaction; return its file, and whether it owns it."""
    # Locks the ingestion: the last commit of an owner that was killed may still be on its way.
    source_path, owns_source, table_id, table_name, lot_id = _source(connection, number)
    leave_segment(connection, number)
    if table_name is not None and lot_id is not None:
        table = BronzeTable(table_id, table_name, ())
        if lot_id == SHARED:
            lot.delete_shared(connection, table, number)
        else:
            lot.drop(connection, table, lot_id, chunk_lines(connection, number))
    for query in ("delete_rejected_rows", "delete_malformed_lines", "delete_marks", "delete_chunks", "mark_removed"):
        connection.execute(QUERIES[query], {"id": number, "message": message})
    return source_path, owns_source


def rejections(connection: Connection[Any], ingestion_id: str | int) -> Iterator[RejectedRow]:
    """Yield the rejected rows of an ingestion in the order of their lines, without holding them all in memory."""
    found = get_ingestion(connection, ingestion_id)
    after = 0
    while True:
        page = connection.execute(QUERIES["list_rejected"], {"id": int(found.id), "after": after}).fetchall()
        for line, record, reasons in page:
            yield RejectedRow(line, bytes(record), reasons)
        if not page:
            return
        after = page[-1][0]


def _source(connection: Connection[Any], ingestion_id: int) -> tuple[Any, ...]:
    row = connection.execute(QUERIES["get_source"], {"id": ingestion_id}).fetchone()
    return row or ("", False, None, None, None)


def check_options(options: Options) -> None:
    """Raise BadFileError for options that no file can be read with."""
    known_encoding(options.encoding)
    if options.format is not None:
        check_format(options.format)
    for column in NAME_COLUMNS:
        for name in options.names(column):
            _check_name(name, str(getattr(options, name)))
    if options.max_rejected is not None:
        try:
            parse_limit(options.max_rejected)
        except ValueError as error:
            raise BadOptionError("max_rejected", f"max_rejected: {error}") from None


def _check_name(option: str, value: str) -> None:
    if not clean(value):
        raise BadOptionError(option, f"The {option} given is empty; leave it out or name one.")
    if is_missing(value):
        raise BadOptionError(
            option, f"The {option} given is {value!r}, which stands for no value; leave it out or name one."
        )
    if len(value) > MAX_NAME_CHARACTERS or not _is_storable(value):
        raise BadOptionError(option, f"The {option} given must be text of at most {MAX_NAME_CHARACTERS} characters.")


def _cleaned(name: str | None) -> str | None:
    return name if name is None else clean(name)


def _check_columns(layout: Layout, options: Options) -> None:
    """Raise BadOptionError where a file has a column of its own for what an option gives, or has none to override."""
    present = layout.format.positions(layout.columns)
    for column in NAME_COLUMNS:
        if column in present and getattr(options, column) is not None:
            raise BadOptionError(
                column,
                f"The file has a column {column} of its own; leave {column} out, or give override_{column} to replace"
                " it in every row.",
            )
        if column not in present and getattr(options, f"override_{column}") is not None:
            raise BadOptionError(
                f"override_{column}", f"The file has no column {column} to override; give {column} instead."
            )


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold a text: no NUL, and no byte of a file name that is not UTF-8."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _compared(options: Sequence[Any]) -> list[Any]:
    """Return what the content of a file is known with as it is compared: names whatever their case."""
    options = list(options)
    return options[:2] + [name and name_key(name) for name in options[2:]]


def _describe(options: list[Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(_KEPT, options, strict=True) if value is not None)
