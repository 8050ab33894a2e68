"""The commands that take files in: `ingest`, `watch` and `worker`."""

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

import click
import psycopg

from tripsmith.cli.options import json_option, print_json
from tripsmith.cli.progress_bar import shown_progress
from tripsmith.cli.report import print_error, print_ingestion
from tripsmith.ingestion.follow import carry
from tripsmith.ingestion.indexing import making_segments
from tripsmith.ingestion.ingestion import Ingestion, IngestionConflictError
from tripsmith.ingestion.notes import add_note
from tripsmith.ingestion.submission import BadFileError, Options, Submission, check_file, submit
from tripsmith.ingestion.worker import work
from tripsmith.note import Note
from tripsmith.rejection_limit import parse_limit
from tripsmith.settings import Settings
from tripsmith.sources.formats import FORMATS
from tripsmith.sources.stream import known_encoding, open_stream
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.words import counted, printable

_STANDARD_INPUT = "standard input"
_UNFINISHED = Note(
    "unfinished_line",
    "Standard input ended within a line: check that what wrote it came to its end (in a shell, `set -o pipefail`).",
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what can be said of how a file is to be read; the command is called with `options`."""

    @wraps(command)
    def with_options(
        *arguments: Any,
        format_name: str | None,
        region: str | None,
        datasource: str | None,
        encoding: str | None,
        override_region: str | None,
        override_datasource: str | None,
        max_rejected: str | None,
        refuse_overlap: bool,
        **others: Any,
    ) -> None:
        settings = click.get_current_context().ensure_object(Settings)
        options = Options(
            format_name,
            region,
            datasource,
            encoding,
            override_region,
            override_datasource,
            settings.max_rejected if max_rejected is None else max_rejected,
            refuse_overlap or settings.refuse_overlap,
        )
        command(*arguments, options=options, **others)

    for option in (
        click.option(
            "--refuse-overlap",
            is_flag=True,
            help="Fail a file that shares most of its rows with another, instead of noting it.",
        ),
        click.option(
            "--max-rejected",
            metavar="N|N%",
            callback=_check_limit,
            help="How many rows may be rejected before the whole file fails: a number, or a share such as 5%;"
            " TRIPSMITH_MAX_REJECTED or any number if not given.",
        ),
        click.option("--override-datasource", help="The data source that replaces those of the file in every row."),
        click.option("--override-region", help="The region that replaces those of the file in every row."),
        click.option("--encoding", help="The file's encoding; UTF-8 if not given."),
        click.option("--datasource", help="The data source of every row, where the file has no such column."),
        click.option("--region", help="The region of every row, where the file has no such column."),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(list(FORMATS)),
            help="CSV format; detected from the header by default.",
        ),
    ):
        with_options = option(with_options)
    return with_options


def _check_limit(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    try:
        return parse_limit(text).text if text is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@_with_options
@json_option
@click.pass_obj
def ingest(settings: Settings, paths: tuple[Path, ...], options: Options, as_json: bool) -> None:
    """Ingest CSV files: plain, .gz, .zst, .xz, .bz2, .zip or .tar, pipes, and - for standard input."""
    # Before a database is made or started for files that are refused anyway.
    accepted = [path for path in paths if _is_acceptable(path, options)]
    ended = _ingest_all(settings, accepted, options, quiet=as_json) if accepted else []
    if as_json:
        print_json({"ingestions": [ingestion.as_json() for ingestion in ended], "next": None})
    if len(ended) < len(paths) or any(ingestion.state != "succeeded" for ingestion in ended):
        sys.exit(1)


def _is_acceptable(path: Path, options: Options) -> bool:
    """Whether a file can be accepted, as far as its beginning tells; what pipes have is known once it has come."""
    try:
        if path.is_file():
            check_file(path, options)
    except BadFileError as error:
        _print_refusal(path, error)
        return False
    return True


def _ingest_all(settings: Settings, paths: list[Path], options: Options, *, quiet: bool) -> list[Ingestion]:
    ended: list[Ingestion] = []
    with open_warehouse(settings) as warehouse, warehouse.connect() as connection:
        for path in paths:
            # One file that cannot be taken must not keep the others out.
            try:
                ended.append(_ingest(settings, warehouse, connection, path, options, quiet=quiet))
            except (BadFileError, IngestionConflictError) as error:
                _print_refusal(path, error)
    return ended


def _print_refusal(path: Path, error: Exception) -> None:
    name = _STANDARD_INPUT if str(path) == "-" else path
    click.echo(printable(f"Error: {name}: {error}"), err=True)


def _ingest(
    settings: Settings,
    warehouse: Warehouse,
    connection: psycopg.Connection[Any],
    path: Path,
    options: Options,
    *,
    quiet: bool,
) -> Ingestion:
    name, owned = path.name, False
    if str(path) == "-":
        path, name, owned = _spool(settings, sys.stdin.buffer), _STANDARD_INPUT, True
    elif not path.is_file():
        with path.open("rb") as pipe:
            name = "pipe" if path.parent.name == "fd" else name
            path, owned = _spool(settings, pipe), True
    try:
        # Before a worker may be done with the file and delete it.
        is_unfinished = owned and _ends_within_a_line(path, options)
        sent = submit(connection, path, name, options, owns_source=owned, cut=True)
    except BaseException:
        if owned:
            path.unlink()
        raise
    if sent.is_new and is_unfinished:
        add_note(connection, int(sent.ingestion.id), _UNFINISHED)
    if owned and not sent.is_new:
        path.unlink()
    if not sent.is_new and sent.ingestion.state == "succeeded":
        _check_rejected(sent, options)
        if not quiet:
            click.echo(printable(f"{name} is in the warehouse already, as {sent.where}; nothing was changed."))
        return sent.ingestion
    interrupted = threading.Event()
    with shown_progress() as show, _interruption(interrupted):
        ended = carry(warehouse, int(sent.ingestion.id), show, interrupted, sent.chunks)
    if quiet:
        print_error(ended)
    else:
        print_ingestion(ended)
    return ended


def _check_rejected(known: Submission, options: Options) -> None:
    """Raise IngestionConflictError where more rows of known content were rejected than is allowed now."""
    found = known.ingestion
    limit = parse_limit(options.max_rejected) if options.max_rejected is not None else None
    if limit is not None and not limit.allows(found.rows_rejected, found.rows_read):
        raise IngestionConflictError(
            f"It is in the warehouse already, as {known.where}, of which {found.rows_rejected:,} of"
            f" {counted(found.rows_read, 'row')} were rejected; max_rejected allows {limit.text}."
        )


def _spool(settings: Settings, stream: BinaryIO) -> Path:
    """Keep what comes in a file that only its owner reads; of what does not come to its end nothing is kept."""
    settings.uploads_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="stdin-", suffix=".csv", dir=settings.uploads_dir)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            while block := _read(stream):
                file.write(block)
    except BaseException:
        path.unlink()
        raise
    return path


def _ends_within_a_line(path: Path, options: Options) -> bool:
    """Whether a text lacks its last line's end, as one does whose writer died; packed files know their own end."""
    with open_stream(path, known_encoding(options.encoding)) as stream:
        is_plain = stream.is_plain
    if not is_plain or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) not in b"\r\n"


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(1 << 20)
    except OSError as error:
        raise BadFileError(f"It cannot be read to its end ({error.strerror}); nothing was kept.") from error


@contextmanager
def _interruption(event: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C into a wish to stop cleanly."""
    previous = signal.signal(signal.SIGINT, lambda *_: event.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_with_options
@json_option
@click.pass_obj
def watch(settings: Settings, folder: Path, options: Options, as_json: bool) -> None:
    """Ingest every file dropped into a folder, until Ctrl-C, and move it to done/ or failed/ there."""
    from tripsmith.ingestion.watch import Taken, watch_folder

    def tell(taken: Taken) -> None:
        if as_json:
            print_json(taken.as_json(), indent=None)
        else:
            click.echo(printable(f"{taken.name}: {taken.message}"))

    with open_warehouse(settings) as warehouse, _stopping() as stop:
        click.echo(f"Watching {folder}; files go on to done/ and failed/ there.", err=True)
        with making_segments(warehouse):
            watch_folder(warehouse, folder, stop, tell, options)


@click.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Run queued ingestions until told to stop; `serve` starts one worker by default."""
    logging.getLogger("tripsmith").setLevel(min(logging.INFO, logging.getLogger("tripsmith").level))
    with open_warehouse(settings) as warehouse, _stopping() as stop:
        work(warehouse, settings.uploads_dir, stop)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an event; a second one ends at once."""
    stop = threading.Event()

    def receive(number: int, _: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, receive) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
