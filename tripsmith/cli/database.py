"""The commands for who looks after the database: `migrate`, `psql` and `doctor`."""

import subprocess
import sys

import click

from tripsmith.cli.options import json_option, print_json
from tripsmith.doctor import examine
from tripsmith.settings import Settings
from tripsmith.warehouse.database import open_warehouse
from tripsmith.warehouse.server import binary


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database's schema up to date; every other command does so by itself."""
    with open_warehouse(settings):
        click.echo("The schema is up to date.")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def psql(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Open PostgreSQL's shell on the database; arguments are passed on."""
    with open_warehouse(settings) as warehouse:
        sys.exit(subprocess.call([str(binary("psql")), warehouse.conninfo, *arguments]))


@click.command()
@json_option
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Check that everything Tripsmith needs is there."""
    findings = examine(settings)
    if as_json:
        print_json({"checks": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.is_good else 'BAD '} {finding.name}: {finding.detail}")
    if not all(finding.is_good for finding in findings):
        sys.exit(1)
