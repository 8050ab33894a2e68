"""The command `tripsmith` itself: where each of its commands is found, and what becomes of errors."""

import sys
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NoReturn

import click
import psycopg
from pydantic import ValidationError

from tripsmith import __version__
from tripsmith.access.tokens import TokenError
from tripsmith.answers.errors import UnknownNameError
from tripsmith.cli.options import Group, settings_with
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.ingestion.ingestion import IngestionConflictError, IngestionNotFoundError
from tripsmith.ingestion.submission import BadFileError
from tripsmith.logs import configure
from tripsmith.settings import Settings
from tripsmith.warehouse.database import WarehouseError
from tripsmith.warehouse.disk import DiskTooSmallError
from tripsmith.words import printable

_PLACES = {
    "demo": "tripsmith.cli.serving:demo",
    "doctor": "tripsmith.cli.database:doctor",
    "groups": "tripsmith.cli.answers:groups",
    "index": "tripsmith.cli.layers:index",
    "ingest": "tripsmith.cli.ingest:ingest",
    "ingestions": "tripsmith.cli.ingestions:ingestions",
    "metrics": "tripsmith.cli.answers:metrics",
    "migrate": "tripsmith.cli.database:migrate",
    "psql": "tripsmith.cli.database:psql",
    "rebuild": "tripsmith.cli.layers:rebuild_command",
    "sample": "tripsmith.cli.sample:sample",
    "serve": "tripsmith.cli.serving:serve",
    "token": "tripsmith.cli.tokens:token",
    "watch": "tripsmith.cli.ingest:watch",
    "weekly-average": "tripsmith.cli.answers:weekly_average_command",
    "worker": "tripsmith.cli.ingest:worker",
}

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
    except ValidationError as error:
        _fail(_describe_settings(error), code=2)
    except _EXPECTED as error:
        _fail(str(error))
    except psycopg.OperationalError as error:
        _fail(f"The database was lost: {str(error).splitlines()[0]}")
    except BrokenPipeError:
        sys.exit(1)


def _describe_settings(error: ValidationError) -> str:
    if error.title != Settings.__name__:
        raise error
    faults = (
        f"TRIPSMITH_{str(fault['loc'][0]).upper()} is {fault['input']!r}: "
        + fault["msg"].removeprefix("Value error, ").rstrip(".")
        for fault in error.errors(include_url=False)
    )
    return "; ".join(faults) + "."


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(printable(f"Error: {message}"), err=True)
    sys.exit(code)


class LazyGroup(Group):
    """A group that imports a command when it is asked for: `places` says where each is, as `module:attribute`."""

    def __init__(self, *, places: Mapping[str, str], **others: Any) -> None:
        # Names alone, for click to list and to suggest from; get_command has what they stand for.
        super().__init__(commands={name: click.Command(name) for name in places}, **others)
        self.places = places

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        place = self.places.get(cmd_name)
        command: click.Command | None = resolve_name(place) if place else None
        return command


@click.group(
    cls=LazyGroup, places=_PLACES, context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
@click.version_option(__version__)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the embedded database.")
@click.pass_context
def cli(context: click.Context, data_dir: Path | None) -> None:
    """A self-hosted warehouse for trips: CSV in, weekly averages and trip groups out."""
    context.obj = settings = settings_with(data_dir=data_dir)
    configure(settings.log_format, settings.log_level)
