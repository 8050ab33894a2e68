"""Answers as text for people."""

import re
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import click

from tripsmith.access.tokens import Token
from tripsmith.answers.span import average_text
from tripsmith.ingestion.ingestion import Ingestion
from tripsmith.note import Note
from tripsmith.words import counted, printable

# Answers need numpy, which commands that only print ingestions or tokens should not wait for.
if TYPE_CHECKING:
    from tripsmith.answers.metrics import TripMetrics
    from tripsmith.answers.selection import Selection
    from tripsmith.answers.trip_groups import TripGroups
    from tripsmith.answers.weekly_average import WeeklyAverage

_BAR_WIDTH = 40
_FEW_EMPTY_WEEKS = 2


def print_ingestion(ingestion: Ingestion) -> None:
    """Print what became of one ingestion."""
    summary = (
        f"{printable(ingestion.file_name)}: ingestion {ingestion.id} {ingestion.state},"
        f" {counted(ingestion.rows_read, 'row')} read, {ingestion.rows_loaded:,} loaded,"
        f" {ingestion.rows_rejected:,} rejected"
    )
    if ingestion.state == "succeeded" and ingestion.rows_per_second:
        summary += f", {ingestion.rows_per_second:,.0f} rows/s"
    click.echo(summary)
    for note in ingestion.notes:
        click.echo(printable(f"Note: {note['message']}"))
    print_error(ingestion)
    if ingestion.rows_rejected and ingestion.state in ("succeeded", "failed"):
        message = f"{ingestion.message} " if ingestion.message else ""
        click.echo(printable(f"{message}`tripsmith ingestions rejections {ingestion.id}` shows the rejected rows."))


def print_error(ingestion: Ingestion) -> None:
    """Print why an ingestion failed, on stderr; nothing for one that did not."""
    if ingestion.error:
        click.echo(printable(f"Error: {ingestion.file_name}: {ingestion.error}"), err=True)


def print_ingestions(ingestions: Iterable[Ingestion]) -> None:
    """Print a table of ingestions."""
    rows: list[tuple[str, ...]] = [("ID", "FILE", "STATE", "READ", "LOADED", "REJECTED", "CREATED (UTC)")]
    for ingestion in ingestions:
        state = (
            f"{ingestion.state} ({ingestion.phase})"
            if ingestion.phase and not ingestion.is_finished
            else ingestion.state
        )
        rows.append(
            (
                ingestion.id,
                ingestion.file_name,
                state,
                f"{ingestion.rows_read:,}",
                f"{ingestion.rows_loaded:,}",
                f"{ingestion.rows_rejected:,}",
                f"{ingestion.created_at:%Y-%m-%d %H:%M:%S}",
            )
        )
    _print_table(rows)


def _filters(selection: "Selection") -> str:
    """Return what narrows a selection beside its region and area, for a title: dates are printed with the weeks."""
    parts = [f"data source {selection.datasource}"] if selection.datasource else []
    if len(selection.hours) < 24:
        parts.append(f"hours {_ranges(selection.hours)}")
    if len(selection.weekdays) < 7:
        parts.append(f"weekdays {_ranges(selection.weekdays)}")
    return "".join(f", {part}" for part in parts)


def _ranges(numbers: Iterable[int]) -> str:
    """Return numbers as they may be given: `7-9,17`."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in ranges)


def print_weekly_average(answer: "WeeklyAverage") -> None:
    """Print the average, what it is of, and a bar for every week."""
    selection = answer.selection
    what = selection.region or "all trips"
    if selection.shape is not None:
        box = selection.shape.bounds()
        kind = "box" if selection.shape == box else "polygon within"
        edges = f"{box.west:g},{box.south:g},{box.east:g},{box.north:g}"
        what = f"{selection.region + ' in ' if selection.region else ''}{kind} {edges} ({selection.match})"
    click.echo(printable(f"{what}{_filters(selection)}: {_rate(answer.average)}"))
    if answer.weeks:
        span = f"{answer.span.start} to {answer.span.end}"
        click.echo(f"{_trips(answer.trips)} in {_weeks(answer.weeks)}, {span}")
    whole = answer.whole_weeks
    if whole.weeks and _rate(whole.average) != _rate(answer.average):
        weeks = f"the {'whole week' if whole.weeks == 1 else f'{whole.weeks:,} whole weeks'}"
        click.echo(f"{_rate(whole.average)} over {weeks} ({_trips(whole.trips)})")
    if answer.weeks:
        _print_weeks(answer)
    # What these notes say is printed above.
    shown = {"series_shortened", "partial_weeks"} if whole.weeks else {"series_shortened"}
    _print_notes(note for note in answer.notes if note.code not in shown)


def _print_weeks(answer: "WeeklyAverage") -> None:
    """Print a bar for every week of the span; many weeks without trips that follow one another are one line."""
    partial = answer.span.partial_weeks
    most = max(answer.counts.values(), default=1)

    def print_week(week: date, trips: int) -> None:
        bar = "#" * round(trips / most * _BAR_WIDTH)
        click.echo(f"  {week}  {trips:>11,}  {bar}{'  (partial)' if week in partial else ''}".rstrip())

    def print_empty_weeks(first: int, end: int) -> None:
        empty = range(first, end, 7)
        if len(empty) > _FEW_EMPTY_WEEKS:
            click.echo(f"  …  {len(empty):,} weeks without trips")
        else:
            for day in empty:
                print_week(date.fromordinal(day), 0)

    # Days are counted, as the week after the last of 9999 is no date.
    first = following = next(iter(answer.span)).toordinal()
    for week, trips in answer.counts.items():
        print_empty_weeks(following, week.toordinal())
        print_week(week, trips)
        following = week.toordinal() + 7
    print_empty_weeks(following, first + 7 * answer.weeks)


def _print_notes(notes: Iterable[Note]) -> None:
    for note in notes:
        # What is a parameter of the API is an option here.
        message = re.sub(r"\b(from|to)=(?=\d)", r"--\1 ", note.message)
        click.echo(printable(f"Note: {message}"))


def _rate(average: float) -> str:
    return f"{average_text(average)} trips a week"


def _trips(number: int) -> str:
    return "1 trip" if number == 1 else f"{number:,} trips"


def _weeks(number: int) -> str:
    return "1 week" if number == 1 else f"{number:,} weeks"


def print_groups(answer: "TripGroups") -> None:
    """Print a table of trip groups, with the centres of their cells."""
    rows: list[tuple[str, ...]] = [
        ("TRIPS", "HOUR", "FROM (LON, LAT)", "TO (LON, LAT)", "ORIGIN CELL", "DESTINATION CELL")
    ]
    for group in (found.as_json() for found in answer.groups):
        ends = [f"{group[end]['lon']:.4f}, {group[end]['lat']:.4f}" for end in ("origin", "destination")]
        rows.append(
            (f"{group['trips']:,}", f"{group['hour']:02}", *ends, group["origin_cell"], group["destination_cell"])
        )
    _print_table(rows)
    _print_notes(answer.notes)


def print_metrics(answer: "TripMetrics") -> None:
    """Print what the warehouse holds."""
    counts = (
        counted(answer.trips, "trip"),
        f"{counted(answer.rejected, 'row')} rejected",
        counted(answer.ingestions, "ingestion"),
    )
    click.echo(", ".join(counts))
    if not answer.trips:
        _print_notes(answer.notes)
        return
    click.echo(f"first trip {answer.first_trip}, last trip {answer.last_trip}\n")
    rows: list[tuple[str, ...]] = [("REGION", "TRIPS", "FIRST TRIP", "LAST TRIP", "LATEST DATA SOURCE")]
    rows += [
        (region.name, f"{region.trips:,}", str(region.first_trip), str(region.last_trip), region.latest_datasource)
        for region in answer.regions
    ]
    _print_table(rows)
    click.echo()
    rows = [("DATA SOURCE", "TRIPS", "FIRST TRIP", "LAST TRIP", "REGIONS")]
    rows += [
        (source.name, f"{source.trips:,}", str(source.first_trip), str(source.last_trip), ", ".join(source.regions))
        for source in answer.datasources
    ]
    _print_table(rows)
    _print_notes(answer.notes)


def print_tokens(tokens: Iterable[Token]) -> None:
    """Print a table of tokens."""
    rows: list[tuple[str, ...]] = [("NAME", "ROLE", "CREATED (UTC)")]
    rows += [(token.name, token.role, f"{token.created_at:%Y-%m-%d %H:%M:%S}") for token in tokens]
    _print_table(rows)


def _print_table(rows: list[tuple[str, ...]]) -> None:
    rows = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.rjust(width) if (cell[:1].isdigit() and "," in cell) or cell.isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())
