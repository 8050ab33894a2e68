"""The commands that make anew what answers come from: `rebuild` and `index`."""

import time
from collections.abc import Sequence

import click

from tripsmith.cli.options import json_option, print_json
from tripsmith.ingestion.indexing import IndexingDelayedError, make_next_segment
from tripsmith.ingestion.ingestion import Ingestion
from tripsmith.ingestion.rebuild import LAYERS, Layer, rebuild
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.words import printable

_AGAIN_SECONDS = 0.5


@click.command("rebuild")
@click.argument("layer", type=click.Choice(LAYERS))
@json_option
@click.pass_obj
def rebuild_command(settings: Settings, layer: Layer, as_json: bool) -> None:
    """Rebuild silver (and gold with it) or gold from the layer below; answers use the old one until then."""
    done: list[Ingestion] = []
    with open_warehouse(settings) as warehouse:
        for ingestion in rebuild(warehouse, layer):
            done.append(ingestion)
            if not as_json:
                counts = f"{ingestion.rows_loaded:,} loaded, {ingestion.rows_rejected:,} rejected"
                click.echo(f"{printable(ingestion.file_name)}: {layer} of ingestion {ingestion.id} rebuilt, {counts}")
    if as_json:
        print_json({"ingestions": [ingestion.as_json() for ingestion in done], "next": None})
    elif not done:
        click.echo("There is no ingestion to rebuild from.")


@click.command()
@json_option
@click.pass_obj
def index(settings: Settings, as_json: bool) -> None:
    """Build the area index for newly ingested trips; `serve`, `watch` and `worker` do this by themselves."""
    done: list[int] = []
    with open_warehouse(settings) as warehouse:
        while made := _next_segment(warehouse):
            done += made
            if not as_json:
                click.echo(f"Indexed ingestion{'s' if len(made) > 1 else ''} {', '.join(map(str, made))}")
    if as_json:
        print_json({"ingestions": [str(number) for number in done]})
    elif not done:
        click.echo("All ingestions are indexed.")


def _next_segment(warehouse: Warehouse) -> Sequence[int]:
    """Index the next ingestions, for as long as another process is at it or stops it; return none when none waits."""
    is_told = False
    while True:
        try:
            return make_next_segment(warehouse, few=1)
        except IndexingDelayedError as error:
            if not is_told:
                click.echo(f"{error} Waiting for that.", err=True)
            is_told = True
            time.sleep(_AGAIN_SECONDS)
