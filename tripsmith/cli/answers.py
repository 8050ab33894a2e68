"""The commands that answer: `weekly-average`, `groups` and `metrics`."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, TextIO

import click

from tripsmith.answers.grouping import GOLD_ZOOM, GroupQuestion
from tripsmith.answers.metrics import trip_metrics
from tripsmith.answers.selection import (
    ALL_HOURS,
    ALL_WEEKDAYS,
    MATCHES,
    Match,
    Selection,
    parse_hours,
    parse_weekdays,
)
from tripsmith.answers.statistics import trip_statistics
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.cli.options import connected, json_option, print_json
from tripsmith.cli.report import print_groups, print_metrics, print_weekly_average
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.geojson import parse_polygon
from tripsmith.geometry.shape import Polygon, parse_bbox
from tripsmith.settings import Settings

selection_options = [
    click.option("--region", help="Trips of this region, whatever its case."),
    click.option("--bbox", help="Trips in this box: west,south,east,north in degrees."),
    click.option(
        "--area",
        type=click.File("r", encoding="utf-8-sig"),
        help="Trips in the polygons of this GeoJSON file; - is standard input.",
    ),
    click.option(
        "--match",
        type=click.Choice(MATCHES),
        default="origin",
        help="Which end of the trip must be inside the area.",
    ),
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


@click.command("weekly-average")
@_with_selection
@json_option
@click.pass_obj
def weekly_average_command(settings: Settings, selection: Selection, as_json: bool) -> None:
    """Show how many trips a week a region, a box or a polygon has."""
    with connected(settings) as connection:
        answer = weekly_average(connection, selection)
    if as_json:
        print_json(answer.as_json())
    else:
        print_weekly_average(answer)


@click.command()
@_with_selection
@click.option("--zoom", default=GOLD_ZOOM, help="Zoom of the cells; a step doubles their width.")
@click.option("--hour", type=int, help="Hour of the day, 0 to 23; short for --hours.")
@click.option("--limit", default=20)
@json_option
@click.pass_obj
def groups(settings: Settings, selection: Selection, zoom: int, hour: int | None, limit: int, as_json: bool) -> None:
    """List groups of trips with similar origin, destination and hour, largest first."""
    if hour is not None and selection.hours != ALL_HOURS:
        raise BadQuestionError("hour", "Give --hour or --hours, not both.")
    if hour is not None:
        selection = replace(selection, hours=parse_hours(str(hour)))
    with connected(settings) as connection:
        answer = trip_groups(connection, GroupQuestion(selection=selection, zoom=zoom), limit=limit)
    if as_json:
        print_json(answer.as_json())
    else:
        print_groups(answer)


@click.command()
@click.option("--region", help="With --json: whose trips are spread over weeks, hours and lengths.")
@json_option
@click.pass_obj
def metrics(settings: Settings, region: str | None, as_json: bool) -> None:
    """Show what the warehouse holds, by region and by data source; with --json, by week, hour and length as well."""
    with connected(settings) as connection:
        answer = trip_metrics(connection)
        if as_json:
            print_json(answer.as_json() | trip_statistics(connection, region).as_json())
        else:
            print_metrics(answer)
