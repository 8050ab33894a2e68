"""What commands share: the option `--json` and what it prints, settings as options change them, a connection."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import psycopg

from tripsmith.settings import Settings
from tripsmith.warehouse.database import open_warehouse

_SENTENCE_MAX = 500


class Group(click.Group):
    """A group of commands whose list has the whole first sentence of each, where click's own cuts them off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(limit=_SENTENCE_MAX)) for name, command in commands if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


json_option = click.option("--json", "as_json", is_flag=True, help="Print the API's document instead.")


def print_json(document: dict[str, Any], indent: int | None = 2) -> None:
    """Print a document; without `indent` on one line, for documents that come one after the other."""
    click.echo(json.dumps(document, indent=indent, ensure_ascii=False))


def settings_with(base: Settings | None = None, **options: Any) -> Settings:
    """Return settings, those of the environment if none are given, with the options that are not None."""
    given = {name: value for name, value in options.items() if value is not None}
    return base.model_copy(update=given) if base else Settings(**given)


@contextmanager
def connected(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Open the warehouse for one connection."""
    with open_warehouse(settings) as warehouse, warehouse.connect() as connection:
        yield connection
