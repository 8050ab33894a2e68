"""The command `tripsmith`: arguments in, answers out; what they mean is decided elsewhere."""

import json
import logging
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO, cast

import click
import psycopg

from tripsmith import __version__
from tripsmith.answers.grouping import GOLD_ZOOM, GroupQuestion
from tripsmith.answers.metrics import trip_metrics
from tripsmith.answers.question import BadQuestionError, UnknownNameError
from tripsmith.answers.selection import (
    ALL_HOURS,
    ALL_WEEKDAYS,
    MATCHES,
    Match,
    Selection,
    parse_hours,
    parse_weekdays,
)
from tripsmith.answers.shape import Polygon, parse_bbox, parse_polygon
from tripsmith.answers.statistics import trip_statistics
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.ingestion import submission
from tripsmith.ingestion.carry import carry, follow
from tripsmith.ingestion.ingestion import (
    Ingestion,
    IngestionConflictError,
    IngestionNotFoundError,
    get_ingestion,
    list_ingestions,
)
from tripsmith.ingestion.rebuild import LAYERS, Layer, rebuild
from tripsmith.ingestion.segments import make_next_segment, making_segments
from tripsmith.ingestion.submission import BadFileError, Options
from tripsmith.ingestion.worker import work
from tripsmith.logs import configure
from tripsmith.progress_bar import shown_progress
from tripsmith.report import (
    print_groups,
    print_ingestion,
    print_ingestions,
    print_metrics,
    print_tokens,
    print_weekly_average,
)
from tripsmith.settings import Settings
from tripsmith.sources.formats import FORMATS
from tripsmith.warehouse.database import Warehouse, WarehouseError, open_warehouse
from tripsmith.warehouse.disk import DiskTooSmallError
from tripsmith.web.tokens import ROLES, Role, TokenError, create_token, list_tokens, revoke_token

_EXPECTED = (
    WarehouseError,
    BadFileError,
    BadQuestionError,
    UnknownNameError,
    IngestionNotFoundError,
    IngestionConflictError,
    DiskTooSmallError,
    TokenError,
)


def main() -> None:
    """Run the command line; an expected error is one sentence on stderr and exit code 1, or 2 for a wrong question."""
    try:
        cli(prog_name="tripsmith")
    except BadQuestionError as error:
        _fail(f"--{error.parameter}: {error}", code=2)
    except _EXPECTED as error:
        _fail(str(error))
    except psycopg.OperationalError as error:
        _fail(f"The database was lost: {str(error).splitlines()[0]}")
    except BrokenPipeError:
        sys.exit(1)


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)


json_option = click.option("--json", "as_json", is_flag=True, help="Print the API's document instead.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the embedded database.")
@click.pass_context
def cli(context: click.Context, data_dir: Path | None) -> None:
    """A self-hosted warehouse for trips: CSV in, weekly averages and trip groups out."""
    context.obj = settings = _settings(data_dir=data_dir)
    configure(settings.log_format, settings.log_level)


def _settings(base: Settings | None = None, **changes: Any) -> Settings:
    given = {name: value for name, value in changes.items() if value is not None}
    return base.model_copy(update=given) if base else Settings(**given)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what can be said of how a file is to be read; the command is called with `options`."""

    @wraps(command)
    def with_options(
        *arguments: Any,
        format_name: str | None,
        region: str | None,
        datasource: str | None,
        encoding: str | None,
        **others: Any,
    ) -> None:
        command(*arguments, options=Options(format_name, region, datasource, encoding), **others)

    for option in (
        click.option("--encoding", help="The file's encoding; UTF-8 if not given."),
        click.option("--datasource", help="The data source of every row, where the file has no such column."),
        click.option("--region", help="The region of every row, where the file has no such column."),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(list(FORMATS)),
            help="What the columns mean; found out from the header.",
        ),
    ):
        with_options = option(with_options)
    return with_options


@cli.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@_with_options
@json_option
@click.pass_obj
def ingest(settings: Settings, paths: tuple[Path, ...], options: Options, as_json: bool) -> None:
    """Take CSV files (.csv, .gz, .zst, .zip, - for standard input) through all layers."""
    ended: list[Ingestion] = []
    with open_warehouse(settings) as warehouse, warehouse.connect() as connection:
        for path in paths:
            # One file that cannot be taken must not keep the others out.
            try:
                ended.append(_ingest(settings, warehouse, connection, path, options, quiet=as_json))
            except (BadFileError, IngestionConflictError) as error:
                click.echo(f"Error: {path}: {error}" if len(paths) > 1 else f"Error: {error}", err=True)
    if as_json:
        _print_json({"ingestions": [ingestion.as_json() for ingestion in ended], "next": None})
    if len(ended) < len(paths) or any(ingestion.state != "succeeded" for ingestion in ended):
        sys.exit(1)


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
        path, name, owned = _spool(settings, sys.stdin.buffer), "standard input", True
    sent = submission.submit(connection, path, name, options, owns_source=owned)
    if owned and not sent.is_new:
        path.unlink()
    if not sent.is_new and sent.ingestion.state == "succeeded":
        if not quiet:
            click.echo(f"{name} is in the warehouse already, as ingestion {sent.ingestion.id}; nothing was changed.")
        return sent.ingestion
    interrupted = threading.Event()
    with shown_progress() as show, _interruption(interrupted):
        ended = carry(warehouse, int(sent.ingestion.id), show, interrupted)
    if not quiet:
        print_ingestion(ended)
    return ended


def _spool(settings: Settings, stream: BinaryIO) -> Path:
    settings.uploads_dir.mkdir(parents=True, exist_ok=True)
    path = settings.uploads_dir / f"stdin-{datetime.now().astimezone():%Y%m%dT%H%M%S%f}.csv"
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    return path


@contextmanager
def _interruption(event: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C into a wish to stop cleanly."""
    previous = signal.signal(signal.SIGINT, lambda *_: event.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


@cli.group(invoke_without_command=True)
@click.pass_context
def ingestions(context: click.Context) -> None:
    """List, show, cancel, retry or remove ingestions."""
    if context.invoked_subcommand is None:
        context.invoke(list_command)


@ingestions.command("list")
@click.option("--limit", default=50, type=click.IntRange(1, 1000))
@json_option
@click.pass_obj
def list_command(settings: Settings, limit: int, as_json: bool) -> None:
    """List the latest ingestions, newest first."""
    with _connection(settings) as connection:
        found = list_ingestions(connection, limit=limit + 1)
    page = found[:limit]
    if as_json:
        cursor = page[-1].id if len(found) > limit else None
        _print_json({"ingestions": [ingestion.as_json() for ingestion in page], "next": cursor})
    else:
        print_ingestions(page)


def _ingestion_command(name: str, act: Callable[[psycopg.Connection[Any], str], Ingestion], help_text: str) -> None:
    @ingestions.command(name, help=help_text)
    @click.argument("ingestion_id", metavar="ID")
    @json_option
    @click.pass_obj
    def command(settings: Settings, ingestion_id: str, as_json: bool) -> None:
        with _connection(settings) as connection:
            ingestion = act(connection, ingestion_id)
        if as_json:
            _print_json(ingestion.as_json())
        else:
            print_ingestion(ingestion)


@ingestions.command()
@click.argument("ingestion_id", metavar="ID")
@click.option("--follow", "is_followed", is_flag=True, help="Watch it to its end, wherever it runs.")
@json_option
@click.pass_obj
def show(settings: Settings, ingestion_id: str, is_followed: bool, as_json: bool) -> None:
    """Show one ingestion."""
    with open_warehouse(settings) as warehouse:
        with warehouse.connect() as connection:
            ingestion = get_ingestion(connection, ingestion_id)
        if is_followed and not ingestion.is_finished:
            with shown_progress() as show_progress:
                ingestion = follow(warehouse, ingestion.id, show_progress)
    if as_json:
        _print_json(ingestion.as_json())
    else:
        print_ingestion(ingestion)
    if is_followed and ingestion.state != "succeeded":
        sys.exit(1)


_ingestion_command("cancel", submission.cancel, "Stop an ingestion; `retry` goes on from its last chunk.")
_ingestion_command("retry", submission.retry, "Queue a failed or cancelled ingestion again, for the worker to take.")
_ingestion_command("remove", submission.remove, "Take an ingestion out of all layers.")


@ingestions.command()
@click.argument("ingestion_id", metavar="ID")
@json_option
@click.pass_obj
def rejections(settings: Settings, ingestion_id: str, as_json: bool) -> None:
    """Print the rows that were rejected: line number, reasons, and the row as it came."""
    with _connection(settings) as connection:
        for row in submission.rejections(connection, ingestion_id):
            record = row.record.decode(errors="backslashreplace")
            if as_json:
                _print_json({"line": row.line, "reasons": list(row.reasons), "record": record}, indent=None)
            else:
                click.echo(f"line {row.line}: {'; '.join(row.reasons)}\n    {record}")


selection_options = [
    click.option("--region", help="Trips of this region, whatever its case."),
    click.option("--bbox", help="Trips in this box: west,south,east,north in degrees."),
    click.option(
        "--area",
        type=click.File("r", encoding="utf-8"),
        help="Trips in the polygon of this GeoJSON file; - is standard input.",
    ),
    click.option("--match", type=click.Choice(MATCHES), default="origin", help="Which end must lie there."),
    click.option("--datasource", help="Trips of this data source, whatever its case."),
    click.option("--hours", help="Trips that start in these hours of the day, such as 7-9 or 22-4,12."),
    click.option("--weekdays", help="Trips that start on these days of the week, such as 1-5; 1 is Monday."),
    click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First local date, included."),
    click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Last local date, included."),
]


def _with_selection(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which trips are meant, and the selection that they make."""

    @wraps(command)
    def selecting(
        *args: Any,
        region: str | None,
        bbox: str | None,
        area: TextIO | None,
        match: Match,
        datasource: str | None,
        hours: str | None,
        weekdays: str | None,
        start: datetime | None,
        end: datetime | None,
        **kwargs: Any,
    ) -> None:
        if bbox is not None and area is not None:
            raise BadQuestionError("area", "Give --bbox or --area, not both.")
        selection = Selection(
            region=region,
            shape=parse_bbox(bbox) if bbox is not None else _polygon(area) if area is not None else None,
            match=match,
            datasource=datasource,
            hours=parse_hours(hours) if hours is not None else ALL_HOURS,
            weekdays=parse_weekdays(weekdays) if weekdays is not None else ALL_WEEKDAYS,
            start=start.date() if start else None,
            end=end.date() if end else None,
        )
        command(*args, selection=selection, **kwargs)

    for option in reversed(selection_options):
        selecting = option(selecting)
    return selecting


def _polygon(file: TextIO) -> Polygon:
    try:
        return parse_polygon(json.load(file))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadQuestionError("area", f"{file.name} is not GeoJSON: {error}.") from None


@cli.command("weekly-average")
@_with_selection
@json_option
@click.pass_obj
def weekly_average_command(settings: Settings, selection: Selection, as_json: bool) -> None:
    """Answer how many trips a week a region, a box or a polygon sees."""
    with _connection(settings) as connection:
        answer = weekly_average(connection, selection)
    if as_json:
        _print_json(answer.as_json())
    else:
        print_weekly_average(answer)


@cli.command()
@_with_selection
@click.option("--zoom", default=GOLD_ZOOM, help="Zoom of the cells; a step doubles their width.")
@click.option("--hour", type=int, help="Hour of the day, 0 to 23; short for --hours.")
@click.option("--limit", default=20)
@json_option
@click.pass_obj
def groups(settings: Settings, selection: Selection, zoom: int, hour: int | None, limit: int, as_json: bool) -> None:
    """List trips of similar origin, destination and hour, most trips first."""
    if hour is not None:
        selection = replace(selection, hours=parse_hours(str(hour)))
    with _connection(settings) as connection:
        answer = trip_groups(connection, GroupQuestion(selection=selection, zoom=zoom), limit=limit)
    if as_json:
        _print_json(answer.as_json())
    else:
        print_groups(answer)


@cli.command()
@click.option("--region", help="With --json: whose trips are spread over weeks, hours and lengths.")
@json_option
@click.pass_obj
def metrics(settings: Settings, region: str | None, as_json: bool) -> None:
    """Show what the warehouse holds, by region and by data source; with --json, by week, hour and length as well."""
    with _connection(settings) as connection:
        answer = trip_metrics(connection)
        if as_json:
            _print_json(answer.as_json() | trip_statistics(connection, region).as_json())
        else:
            print_metrics(answer)


@cli.command("rebuild")
@click.argument("layer", type=click.Choice(LAYERS))
@json_option
@click.pass_obj
def rebuild_command(settings: Settings, layer: Layer, as_json: bool) -> None:
    """Make silver, with gold, or gold alone anew from the layer below; answers go on meanwhile."""
    done: list[Ingestion] = []
    with open_warehouse(settings) as warehouse:
        for ingestion in rebuild(warehouse, layer):
            done.append(ingestion)
            if not as_json:
                counts = f"{ingestion.rows_loaded:,} loaded, {ingestion.rows_rejected:,} rejected"
                click.echo(f"{ingestion.file_name}: {layer} of ingestion {ingestion.id} rebuilt, {counts}")
    if as_json:
        _print_json({"ingestions": [ingestion.as_json() for ingestion in done], "next": None})
    elif not done:
        click.echo("There is no ingestion to rebuild from.")


@cli.command()
@json_option
@click.pass_obj
def index(settings: Settings, as_json: bool) -> None:
    """Index trips by place, for boxes and polygons to be answered at once; `serve` and `worker` do it by themselves."""
    done: list[int] = []
    with open_warehouse(settings) as warehouse:
        while made := make_next_segment(warehouse, few=1):
            done += made
            if not as_json:
                click.echo(f"Indexed ingestion{'s' if len(made) > 1 else ''} {', '.join(map(str, made))}")
    if as_json:
        _print_json({"ingestions": [str(number) for number in done]})
    elif not done:
        click.echo("All ingestions are indexed.")


@cli.command()
@click.option("--rows", required=True, type=click.IntRange(0))
@click.option("--seed", default=1, type=click.IntRange(0))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
def sample(rows: int, seed: int, output: Path) -> None:
    """Write realistic trips; the same seed gives the same bytes."""
    from tripsmith.sources.sample import write_sample  # numpy, a fifth of the start of every other command

    with click.open_file(str(output), "wb") as file:
        write_sample(cast(BinaryIO, file), rows, seed)


@cli.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the embedded database.")
@click.option("--workers", type=click.IntRange(0, 64), help="How many workers to start beside; 0 for none.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None, data_dir: Path | None, workers: int | None) -> None:
    """Serve the API, live events and the first page, with one worker beside unless told otherwise."""
    from tripsmith.web.serve import serve as run_server

    _serving(lambda: run_server(_settings(settings, host=host, port=port, data_dir=data_dir, workers=workers)))


def _serving(action: Callable[[], None]) -> None:
    from tripsmith.web.serve import ServeError

    try:
        action()
    except ServeError as error:
        _fail(str(error))


@cli.command()
@click.option("--rows", default=200_000, type=click.IntRange(1), help="How many example trips.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--once", is_flag=True, help="Print the answers and end, without serving.")
@click.pass_obj
def demo(settings: Settings, rows: int, port: int | None, once: bool) -> None:
    """Take example trips through all layers, print answers, and serve."""
    from tripsmith.demo import run_demo

    _serving(lambda: run_demo(_settings(settings, port=port), rows, serve_after=not once))


@cli.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Take queued ingestions until told to stop; `serve` starts one by itself."""
    logging.getLogger("tripsmith").setLevel(min(logging.INFO, logging.getLogger("tripsmith").level))
    with open_warehouse(settings) as warehouse, _stopping() as stop:
        work(warehouse, settings.uploads_dir, stop)


@cli.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_with_options
@json_option
@click.pass_obj
def watch(settings: Settings, folder: Path, options: Options, as_json: bool) -> None:
    """Ingest every file that is dropped into a folder, until Ctrl-C; it goes on to done/ or failed/ there."""
    from tripsmith.ingestion.folder import Taken, watch_folder

    def tell(taken: Taken) -> None:
        if as_json:
            _print_json(taken.as_json(), indent=None)
        else:
            click.echo(f"{taken.path}: {taken.message}")

    with open_warehouse(settings) as warehouse, _stopping() as stop:
        click.echo(f"Watching {folder}; files go on to done/ and failed/ there.", err=True)
        with making_segments(warehouse):
            watch_folder(warehouse, folder, stop, tell, options)


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


@cli.group()
def token() -> None:
    """Make, list and revoke tokens: what a server that other machines reach is opened with."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="reader", help="What it may do: ask; also send; all.")
@json_option
@click.pass_obj
def create_token_command(settings: Settings, name: str, role: Role, as_json: bool) -> None:
    """Make a token and print it; it is shown this once."""
    with _connection(settings) as connection:
        made, secret = create_token(connection, name, role)
    if as_json:
        _print_json({**made.as_json(), "token": secret})
    else:
        click.echo(secret)
        click.echo(f"This is the token {made.name}, role {made.role}. It is not kept and not shown again.", err=True)


@token.command("list")
@json_option
@click.pass_obj
def list_tokens_command(settings: Settings, as_json: bool) -> None:
    """List the tokens, which are not shown themselves."""
    with _connection(settings) as connection:
        tokens = list_tokens(connection)
    if as_json:
        _print_json({"tokens": [known.as_json() for known in tokens]})
    else:
        print_tokens(tokens)


@token.command("revoke")
@click.argument("name")
@json_option
@click.pass_obj
def revoke_token_command(settings: Settings, name: str, as_json: bool) -> None:
    """Revoke a token; running servers know within seconds, and put out who uses it."""
    with _connection(settings) as connection:
        revoked = revoke_token(connection, name)
    if as_json:
        _print_json(revoked.as_json())
    else:
        click.echo(f"The token {revoked.name}, role {revoked.role}, is revoked.")


@cli.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database's schema up to date; every other command does so by itself."""
    with open_warehouse(settings):
        click.echo("The schema is up to date.")


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def psql(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Open PostgreSQL's own shell on the database; arguments are handed on."""
    import subprocess

    from tripsmith.warehouse.server import binary

    with open_warehouse(settings) as warehouse:
        sys.exit(subprocess.call([str(binary("psql")), warehouse.conninfo, *arguments]))


@cli.command()
@json_option
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Check that everything needed is there, and say what is not."""
    from tripsmith.doctor import examine

    findings = examine(settings)
    if as_json:
        _print_json({"checks": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.is_good else 'BAD '} {finding.name}: {finding.detail}")
    if not all(finding.is_good for finding in findings):
        sys.exit(1)


@contextmanager
def _connection(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with open_warehouse(settings) as warehouse, warehouse.connect() as connection:
        yield connection


def _print_json(document: dict[str, Any], indent: int | None = 2) -> None:
    click.echo(json.dumps(document, indent=indent, ensure_ascii=False))
