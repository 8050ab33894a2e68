"""What people ask of ingestions: submit a file, cancel, retry, remove, see what was rejected."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from tripsmith.ingestion import content
from tripsmith.ingestion.chunk import lines as chunk_lines
from tripsmith.ingestion.content import Content, Holder, Split
from tripsmith.ingestion.indexing import interrupt, leave_segment
from tripsmith.ingestion.ingestion import (
    QUERIES,
    UNFINISHED,
    Ingestion,
    IngestionConflictError,
    RejectedRow,
    get_ingestion,
)
from tripsmith.ingestion.notes import replace_notes
from tripsmith.ingestion.ownership import claim
from tripsmith.names import clean, is_missing, name_key
from tripsmith.rejection_limit import parse_limit
from tripsmith.sources.chunks import Chunk, chunk_size, cut_ahead
from tripsmith.sources.header import Layout, check_format, inspect
from tripsmith.sources.stream import SourceError, digest, known_encoding, stamp
from tripsmith.warehouse import lot
from tripsmith.warehouse.bronze.table import SHARED, BronzeTable
from tripsmith.warehouse.silver.names import MAX_NAME_CHARACTERS
from tripsmith.warehouse.silver.trip_sample import delete_sample

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
    replace the values of one that has. `max_rejected` is how many rows may be rejected, such as `100` or `5%`. With
    `refuse_overlap` the file fails where most of its rows are in the warehouse already, by another file.
    """

    format: str | None = None
    region: str | None = None
    datasource: str | None = None
    encoding: str | None = None
    override_region: str | None = None
    override_datasource: str | None = None
    max_rejected: str | None = None
    refuse_overlap: bool | None = None

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

    `chunks` are those of the file, where they are known already. `others` are further ingestions that have parts of a
    known archive.
    """

    ingestion: Ingestion
    is_new: bool
    has_file: bool
    chunks: Sequence[Chunk] = ()
    others: Sequence[str] = ()

    @property
    def where(self) -> str:
        """The ingestions that have the content, in words."""
        ids = [self.ingestion.id, *self.others]
        return f"ingestion {ids[0]}" if len(ids) == 1 else f"ingestions {', '.join(ids[:-1])} and {ids[-1]}"


def check_file(path: Path, options: Options) -> Layout:
    """Return the layout of a file; raise BadFileError for one that cannot be accepted with these options.

    Needs no database, so that a file can be refused before there is one.
    """
    check_options(options)
    layout = inspect(path, known_encoding(options.encoding), options.format, options.given)
    _check_columns(layout, options)
    return layout


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

    Content is known by the SHA-256 of each CSV in the file, whatever it is packed in. `file_name` is a label. With
    `owns_source` the file is deleted once it is in the warehouse. `sha256` is the digest of the file, where it is
    known. With `cut` its chunks are found alongside the digest, for a caller who runs the ingestion too. Raises
    BadFileError for a file or an option that cannot be accepted, IngestionConflictError when its content came before
    with other options; one that failed and of which nothing was loaded makes way.
    """
    options = options or Options()
    if not _is_storable(f"{path}{file_name}"):
        raise BadFileError("The name of the file is not UTF-8; rename it.")
    encoding = known_encoding(options.encoding)
    # Before anything is read: a file that is still being written will be found to have changed.
    submitted = stamp(path)
    layout = check_file(path, options)
    chunks: Sequence[Chunk] = ()
    if cut and sha256 is None and submitted.size > chunk_size(submitted.size):
        sha256, chunks = _digest_and_cut(path.absolute(), encoding, layout)
    found = content.content_of(connection, path, encoding, sha256 or digest(path))
    parameters: dict[str, Any] = {
        "file_name": clean(file_name) or file_name,
        "source_path": str(path.absolute()),
        "owns_source": owns_source,
        "sha256": found.sha256,
        "format": layout.format.name,
        "encoding": encoding,
        "region": _cleaned(options.region),
        "datasource": _cleaned(options.datasource),
        "override_region": _cleaned(options.override_region),
        "override_datasource": _cleaned(options.override_datasource),
        "max_rejected": options.max_rejected,
        "bytes_total": submitted.size,
        "source_modified_ns": submitted.modified_ns,
        "refuse_overlap": bool(options.refuse_overlap),
    }
    asked = [parameters[name] for name in _KEPT]
    has_file = True
    replaced: Path | None = None
    others: tuple[str, ...] = ()
    with connection.transaction():
        content.lock_content(connection, found.digests)
        held = content.holders(connection, found)
        parts = content.split(found, held)
        before = content.begun(connection, parts, held)
        if before is not None and _compared(before.options) != _compared(asked):
            replaced = _make_way(connection, before, asked)
            before, held = None, content.holders(connection, found)
        is_new = bool(parts.loaded)
        if not parts.loaded:
            known = _answer(parts, asked)
            ingestion_id = known.id
            others = tuple(sorted({str(holder.id) for _, holder in parts.known} - {str(known.id)}, key=int))
            has_file = known.source_path == parameters["source_path"] and known.state in UNFINISHED
        elif before is not None:
            ingestion_id = before.id
            _resume(connection, before.id, found, parts, parameters)
            if before.owns_source and before.source_path != parameters["source_path"]:
                replaced = Path(before.source_path)
        else:
            if found.is_recalled:
                found = content.content_of(connection, path, encoding, found.sha256, may_recall=False)
                content.lock_content(connection, found.digests)
                held = content.holders(connection, found)
                parts = content.split(found, held)
            ingestion_id = _insert(connection, found, parts, held, parameters)
    if replaced is not None:
        replaced.unlink(missing_ok=True)
    return Submission(get_ingestion(connection, ingestion_id), is_new, has_file, chunks, others)


def _answer(parts: Split, asked: list[str | None]) -> Holder:
    """Return the ingestion that has a known content: where several have a part, the first that is still on its way."""
    found = [holder for _, holder in parts.known]
    for holder in found:
        _check_options_kept(holder, asked)
    return next((holder for holder in found if holder.state in UNFINISHED), found[0])


def _check_options_kept(holder: Holder, asked: Sequence[str | None]) -> None:
    if _compared(holder.options) != _compared(asked):
        raise _conflict(holder, asked)


def _conflict(holder: Holder, asked: Sequence[str | None]) -> IngestionConflictError:
    differing = [
        f"with {name} {had}, not {wanted}" if had and wanted else f"with{'' if had else 'out'} {name} {had or wanted}"
        for name, had, wanted in zip(_KEPT, holder.options, asked, strict=True)
        if _compared([None, None, had]) != _compared([None, None, wanted])
    ]
    return IngestionConflictError(
        f"This content is ingestion {holder.id} already, {' and '.join(differing)}; remove that ingestion first to load"
        " it with these options."
    )


def _insert(
    connection: Connection[Any],
    found: Content,
    parts: Split,
    held: dict[bytes, Holder],
    parameters: dict[str, Any],
) -> int:
    if any(member.sha256 in held for member in parts.loaded):
        connection.execute(content.QUERIES["let_go"], {"digests": [member.sha256 for member in parts.loaded]})
    notes = Jsonb([note.as_json() for note in content.member_notes(found, parts)])
    members = content.rows_of_members(found, parts)
    row = connection.execute(content.QUERIES["insert_ingestion"], {**parameters, **members, "notes": notes}).fetchone()
    return int(row[0]) if row else 0


def _resume(
    connection: Connection[Any], ingestion_id: int, found: Content, parts: Split, parameters: dict[str, Any]
) -> None:
    """Have an ingestion go on with a file of the same content, which may be packed otherwise."""
    parameters = {**parameters, **content.rows_of_members(found, parts), "id": ingestion_id}
    for query in ("rescale_chunks", "forget_members", "insert_members", "requeue"):
        connection.execute(content.QUERIES[query], parameters)
    if not found.is_recalled:
        replace_notes(connection, ingestion_id, content.MEMBER_NOTES, content.member_notes(found, parts))


def _make_way(connection: Connection[Any], known: Holder, asked: Sequence[str | None]) -> Path | None:
    """Remove a failed ingestion that content was sent for with other options; return its file if it is to be deleted.

    Raises IngestionConflictError for any other ingestion, and for one that has loaded rows and could go on.
    """
    if known.state != "failed" or known.rows_loaded:
        raise _conflict(known, asked)
    if not connection.execute(QUERIES["lock_failed"], {"id": known.id}).rowcount:
        raise _conflict(known, asked)
    _take_out(connection, known.id, "Replaced: the same file was sent with other options.")
    return Path(known.source_path) if known.owns_source else None


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
    with connection.transaction():
        content.check_still_held(connection, int(found.id))
        if connection.execute(QUERIES["requeue_as_is"], {"id": int(found.id)}).rowcount == 0:
            now = get_ingestion(connection, ingestion_id).state
            raise IngestionConflictError(f"Ingestion {found.id} is {now} by now; it was not queued again.")
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
            content.lock_own_content(connection, number)
            source_path, owns_source = _take_out(connection, number, "Removed from all layers.")
    if owns_source:
        Path(source_path).unlink(missing_ok=True)
    return get_ingestion(connection, ingestion_id)


def _take_out(connection: Connection[Any], number: int, message: str) -> tuple[str, bool]:
    """Take an ingestion out of all layers, within the caller's transaction; return its file, and whether it owns it."""
    # Locks the ingestion: the last commit of an owner that was killed may still be on its way.
    source_path, owns_source, table_id, table_name, lot_id = _source(connection, number)
    leave_segment(connection, number)
    delete_sample(connection, number)
    if table_name is not None and lot_id is not None:
        table = BronzeTable(table_id, table_name, ())
        if lot_id == SHARED:
            lot.delete_shared(connection, table, number)
        else:
            lot.drop(connection, table, lot_id, chunk_lines(connection, number))
    deletions = ("delete_rejected_rows", "delete_malformed_lines", "delete_marks", "delete_members", "delete_chunks")
    for query in (*deletions, "mark_removed"):
        connection.execute(QUERIES[query], {"id": number, "message": message})
    return source_path, owns_source


def rejections(connection: Connection[Any], ingestion_id: str | int) -> Iterator[RejectedRow]:
    """Yield the rejected rows of an ingestion in the order of their lines, without holding them all in memory."""
    found = get_ingestion(connection, ingestion_id)
    after = 0
    while True:
        page = connection.execute(QUERIES["list_rejected"], {"id": int(found.id), "after": after}).fetchall()
        for _, file, line, record, reasons in page:
            yield RejectedRow(file, line, bytes(record), reasons)
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
