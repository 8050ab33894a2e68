"""The demonstration: example trips through all layers, answers printed, and the server left up."""

from datetime import date
from typing import Any

import click
from psycopg import Connection, sql

from tripsmith.answers.grouping import GroupQuestion
from tripsmith.answers.selection import Selection
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.cli.progress_bar import shown_progress
from tripsmith.cli.report import print_groups, print_ingestion, print_weekly_average
from tripsmith.geometry.shape import BoundingBox
from tripsmith.ingestion.follow import carry
from tripsmith.ingestion.submission import submit
from tripsmith.sample.example import example_path, make_example
from tripsmith.serve import check_address, serve
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.cli", "demo.sql")

REGION = "Prague"
START, END = date(2018, 5, 1), date(2018, 6, 30)
BOX = BoundingBox(14.40, 50.06, 14.46, 50.10)


def run_demo(settings: Settings, rows: int, *, serve_after: bool = True) -> None:
    """Make `rows` example trips, ingest them unless they are there, print answers, then serve until Ctrl-C."""
    if serve_after:
        check_address(settings)
    with open_warehouse(settings) as warehouse:
        _ingest(settings, warehouse, rows)
        _show(warehouse)
        if serve_after:
            click.echo()
            serve(settings, on_ready=lambda url: click.echo(f"API reference: {url}/api/docs   (Ctrl-C stops it all)"))


def _ingest(settings: Settings, warehouse: Warehouse, rows: int) -> None:
    path = example_path(settings, rows)
    if not path.exists():
        click.echo(f"Making {rows:,} example trips: {path}")
        make_example(settings, rows)
    with warehouse.connect() as connection:
        sent = submit(connection, path, path.name)
    if sent.ingestion.state == "succeeded":
        click.echo(f"The example trips are in the warehouse already, as ingestion {sent.ingestion.id}.")
        return
    with shown_progress() as show:
        print_ingestion(carry(warehouse, int(sent.ingestion.id), show))


def _show(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        click.echo("\nThe layers:")
        for layer, table, count in _count_rows(connection):
            click.echo(f"  {layer:<7} {table:<24} {count:>11,} rows")
        period = f"--from {START} --to {END}"
        click.echo(f"\n$ tripsmith weekly-average --region {REGION} {period}")
        print_weekly_average(weekly_average(connection, Selection(region=REGION, start=START, end=END)))
        box = f"{BOX.west:g},{BOX.south:g},{BOX.east:g},{BOX.north:g}"
        click.echo(f"\n$ tripsmith weekly-average --bbox {box} {period}")
        print_weekly_average(weekly_average(connection, Selection(shape=BOX, start=START, end=END)))
        click.echo("\n$ tripsmith groups --limit 5")
        print_groups(trip_groups(connection, GroupQuestion(), limit=5))


def _count_rows(connection: Connection[Any]) -> list[tuple[str, str, int]]:
    """Return layer, table and rows of every table of the three layers that a reader sees, in the way of the data."""
    counted = []
    for layer, table in connection.execute(QUERIES["list_tables"]).fetchall():
        query = sql.SQL(QUERIES["count_table"]).format(table=sql.Identifier(layer, table))
        row = connection.execute(query).fetchone()
        counted.append((layer, table, int(row[0]) if row else 0))
    return counted
