"""The group `ingestions`: what there is, and what can be done with it."""

import sys
from collections.abc import Callable
from typing import Any

import click
import psycopg

from tripsmith.cli.options import Group, connected, json_option, print_json
from tripsmith.cli.progress_bar import shown_progress
from tripsmith.cli.report import print_ingestion, print_ingestions
from tripsmith.ingestion import submission
from tripsmith.ingestion.follow import follow
from tripsmith.ingestion.ingestion import Ingestion, get_ingestion, list_ingestions
from tripsmith.settings import Settings
from tripsmith.warehouse.database import open_warehouse
from tripsmith.words import printable


@click.group(cls=Group, invoke_without_command=True)
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
    with connected(settings) as connection:
        found = list_ingestions(connection, limit=limit + 1)
    page = found[:limit]
    if as_json:
        cursor = page[-1].id if len(found) > limit else None
        print_json({"ingestions": [ingestion.as_json() for ingestion in page], "next": cursor})
    else:
        print_ingestions(page)


def _ingestion_command(name: str, act: Callable[[psycopg.Connection[Any], str], Ingestion], help_text: str) -> None:
    @ingestions.command(name, help=help_text)
    @click.argument("ingestion_id", metavar="ID")
    @json_option
    @click.pass_obj
    def command(settings: Settings, ingestion_id: str, as_json: bool) -> None:
        with connected(settings) as connection:
            ingestion = act(connection, ingestion_id)
        if as_json:
            print_json(ingestion.as_json())
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
        print_json(ingestion.as_json())
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
    """Print the rows that were rejected: line (in an archive, the member and its line), reasons, the row as it came."""
    with connected(settings) as connection:
        for row in submission.rejections(connection, ingestion_id):
            record = row.record.decode(errors="backslashreplace")
            if as_json:
                fields = {"line": row.line, "reasons": list(row.reasons), "record": record, "file": row.file or None}
                print_json(fields, indent=None)
            else:
                place = f"{printable(row.file)} line {row.line}" if row.file else f"line {row.line}"
                click.echo(f"{place}: {printable('; '.join(row.reasons))}\n    {printable(record)}")
