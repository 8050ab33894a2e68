"""The command line, as far as it goes without a database."""

import subprocess
import sys

import click
import pytest

from tripsmith.cli import cli


def test_every_command_is_where_it_is_said_to_be():
    context = click.Context(cli)
    names = cli.list_commands(context)
    assert "ingest" in names
    assert [cli.get_command(context, name).name for name in names] == names


@pytest.mark.parametrize("command", ["ingest", "ingestions"])
def test_ingesting_does_not_wait_for_what_only_answers_and_the_server_need(command):
    program = f"""
import sys, click
from tripsmith.cli import cli
assert cli.get_command(click.Context(cli), {command!r})
print(*{{"numpy", "shapely", "flask", "gevent"}} & sys.modules.keys())
"""
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == ""
