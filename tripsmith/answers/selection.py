"""A selection: which trips a question is about, by region, place, data source, hour, day of the week and date."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, LiteralString, get_args

from psycopg import Connection, sql

from tripsmith.answers.errors import UnknownDatasourceError, UnknownRegionError
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.shape import BoundingBox, Polygon, Shape
from tripsmith.names import name_key
from tripsmith.note import Note
from tripsmith.warehouse.gold.segment import ENDS, End
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.names import MAX_NAME_CHARACTERS

QUERIES = load_queries("tripsmith.answers", "selection.sql")

Match = Literal["origin", "destination", "both", "either"]
MATCHES: tuple[Match, ...] = get_args(Match)

ALL_HOURS = frozenset(range(24))
ALL_WEEKDAYS = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """All trips, narrowed by whatever is given.

    `match` says which end must lie in the shape. Hours are 0 to 23 and weekdays 1 (Monday) to 7, local; `start` and
    `end` are local dates, both included.
    """

    region: str | None = None
    shape: Shape | None = None
    match: Match = "origin"
    datasource: str | None = None
    hours: frozenset[int] = ALL_HOURS
    weekdays: frozenset[int] = ALL_WEEKDAYS
    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.start and self.end and self.start > self.end:
            raise BadQuestionError("from", f"from {self.start} is after to {self.end}; it must not be.")
        for parameter, name in (("region", self.region), ("datasource", self.datasource)):
            if name is not None and len(name) > MAX_NAME_CHARACTERS:
                raise BadQuestionError(
                    parameter, f"{parameter} has {len(name):,} characters; names have {MAX_NAME_CHARACTERS} at most."
                )
            if name is not None and "\0" in name:
                raise BadQuestionError(parameter, f"{parameter} has a NUL character; no name has one.")

    @property
    def every_time(self) -> bool:
        """Whether neither hour, day of the week nor date matters."""
        return self.every_hour and self.weekdays == ALL_WEEKDAYS and self.start is None and self.end is None

    @property
    def every_hour(self) -> bool:
        """Whether the hour does not matter."""
        return self.hours == ALL_HOURS

    @property
    def notes(self) -> tuple[Note, ...]:
        """What of the question is not asked: parts of a document that are not of its area."""
        return self.shape.notes if isinstance(self.shape, Polygon) else ()

    def takes_day(self, day: date) -> bool:
        """Tell whether trips of a day are meant."""
        return (
            (self.start is None or day >= self.start)
            and (self.end is None or day <= self.end)
            and day.isoweekday() in self.weekdays
        )

    def area_json(self) -> dict[str, Any]:
        """Return what an answer says of its area."""
        box = self.shape if isinstance(self.shape, BoundingBox) else None
        return {
            "region": self.region,
            "bbox": [box.west, box.south, box.east, box.north] if box else None,
            "polygon": self.shape.as_json() if isinstance(self.shape, Polygon) else None,
        }


@dataclass(frozen=True, slots=True)
class Names:
    """The region and data source of a selection by number and as shown; None where any will do."""

    region_id: int | None
    region: str | None
    datasource_id: int | None
    datasource: str | None

    @property
    def parameters(self) -> dict[str, int | None]:
        """The parameters of queries on gold."""
        return {"region_id": self.region_id, "datasource_id": self.datasource_id}


EVERY_NAME = Names(None, None, None, None)


def find_names(connection: Connection[Any], selection: Selection) -> Names:
    """Look the names of a selection up; raise UnknownRegionError or UnknownDatasourceError with near names."""
    found: list[Any] = []
    for kind, name, unknown in (
        ("region", selection.region, UnknownRegionError),
        ("datasource", selection.datasource, UnknownDatasourceError),
    ):
        if name is None:
            found += [None, None]
            continue
        of_kind = {"names": sql.Identifier("silver", kind), "id": sql.Identifier(f"{kind}_id")}
        find, list_all = (sql.SQL(QUERIES[query]).format(**of_kind) for query in ("find_name", "list_names"))
        row = connection.execute(find, {"key": name_key(name)}).fetchone()
        if row is None:
            known = {name_key(shown): shown for (shown,) in connection.execute(list_all)}
            near = difflib.get_close_matches(name_key(name), known, n=3)
            raise unknown(name, [known[key] for key in near])
        found += row
    return Names(*found)


def parse_match(text: str) -> Match:
    """Return the match of this name; raise BadQuestionError."""
    for match in MATCHES:
        if text == match:
            return match
    raise BadQuestionError("match", f"{text!r} is not a match; it must be one of {', '.join(MATCHES)}.")


def parse_hours(text: str) -> frozenset[int]:
    """Return the hours that `7-9,17` names; a range may go over midnight, as 22-4. Raises BadQuestionError."""
    return _parse_ranges("hours", text, range(24), "hours between 0 and 23, such as 7-9, 22-4 or 7-9,17-19")


def parse_weekdays(text: str) -> frozenset[int]:
    """Return the days that `1-5` names, Monday being 1; a range may go over Sunday, as 6-1. Raises BadQuestionError."""
    return _parse_ranges("weekdays", text, range(1, 8), "days between 1 (Monday) and 7 (Sunday), such as 1-5 or 6,7")


def _parse_ranges(parameter: str, text: str, numbers: range, right: str) -> frozenset[int]:
    chosen: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,2})\s*(?:-\s*(\d{1,2})\s*)?", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (-1, -1)
        if first not in numbers or last not in numbers:
            raise BadQuestionError(parameter, f"{parameter} is {text!r}; it must be {right}.")
        # A range that ends before it begins goes round.
        round_trip = (*range(first, numbers.stop), *range(numbers.start, last + 1))
        chosen.update(range(first, last + 1) if first <= last else round_trip)
    return frozenset(chosen)


def condition(selection: Selection, names: Names) -> sql.Composable:
    """Return the SQL condition on silver.trip that is true of selected trips.

    For a polygon it is true of more: of those whose ends lie in the box around it.
    """
    parts: list[sql.Composable] = [sql.SQL("true")]
    if names.region_id is not None:
        parts.append(sql.SQL("trip.region_id = {}").format(sql.Literal(names.region_id)))
    if names.datasource_id is not None:
        parts.append(sql.SQL("trip.datasource_id = {}").format(sql.Literal(names.datasource_id)))
    if selection.start is not None:
        parts.append(sql.SQL("trip.started_at >= {}::date").format(sql.Literal(selection.start.isoformat())))
    if selection.end is not None:
        parts.append(sql.SQL("trip.started_at < {}::date + 1").format(sql.Literal(selection.end.isoformat())))
    if not selection.every_hour:
        parts.append(_one_of("date_part('hour', trip.started_at)", selection.hours))
    if selection.weekdays != ALL_WEEKDAYS:
        parts.append(_one_of("date_part('isodow', trip.started_at)", selection.weekdays))
    if selection.shape is not None:
        parts.append(_box_condition(selection.shape.bounds(), selection.match))
    return sql.SQL(" AND ").join(parts)


def end_condition(box: BoundingBox, end: End) -> sql.Composable:
    """Return the SQL condition on silver.trip that one end lies in a box."""
    fragment = "inside_box" if box.west <= box.east else "inside_box_over_antimeridian"
    return sql.SQL(QUERIES[fragment]).format(
        longitude=sql.Identifier("trip", f"{end}_longitude"),
        latitude=sql.Identifier("trip", f"{end}_latitude"),
        west=sql.Literal(box.west),
        south=sql.Literal(box.south),
        east=sql.Literal(box.east),
        north=sql.Literal(box.north),
    )


def _one_of(expression: LiteralString, numbers: Iterable[int]) -> sql.Composable:
    listed = sql.SQL(", ").join(sql.Literal(number) for number in sorted(numbers))
    return sql.SQL(expression) + sql.SQL(" IN ({})").format(listed)


def _box_condition(box: BoundingBox, match: Match) -> sql.Composable:
    ends = {end: end_condition(box, end) for end in ENDS}
    if match == "both":
        return sql.SQL("({origin} AND {destination})").format(**ends)
    if match == "either":
        return sql.SQL("({origin} OR {destination})").format(**ends)
    return ends[match]
