"""Trip groups: trips with the same origin cell, destination cell and hour of day."""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection, sql

from tripsmith.answers.days import count_days
from tripsmith.answers.grouping import GOLD_ZOOM, QUERIES, GroupQuestion, counted_groups
from tripsmith.answers.notes import answer_notes
from tripsmith.answers.places import Snapshot, snapshot
from tripsmith.answers.selection import Names, find_names
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.quadbin import cell_json, cell_name, tile_cell
from tripsmith.note import Note

MAX_LIMIT = 1000
# As many trips as are looked at one by one for cells finer than gold's.
MAX_FINE_TRIPS = 3_000_000

_Key = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TripGroup:
    """Trips that resemble each other: two cells, by tile (x << 32 | y at zoom 26), and the local hour, 0 to 23."""

    origin_tile: int
    destination_tile: int
    hour: int
    trips: int
    zoom: int

    @property
    def origin_cell(self) -> int:
        """The quadbin of the origin."""
        return tile_cell(self.origin_tile, self.zoom)

    @property
    def destination_cell(self) -> int:
        """The quadbin of the destination."""
        return tile_cell(self.destination_tile, self.zoom)

    def as_json(self) -> dict[str, Any]:
        """Return the group as the API shows it."""
        return {
            "origin_cell": cell_name(self.origin_cell),
            "destination_cell": cell_name(self.destination_cell),
            "hour": self.hour,
            "trips": self.trips,
            "origin": cell_json(self.origin_cell),
            "destination": cell_json(self.destination_cell),
        }


@dataclass(frozen=True, slots=True)
class TripGroups:
    """A page of groups, most trips first; `next` is the cursor of the page after it, None on the last."""

    zoom: int
    groups: tuple[TripGroup, ...]
    next: str | None
    by_hour: bool = True
    notes: tuple[Note, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the document of the API: `groups`, or `flows` where they have no hour."""
        documents = [group.as_json() for group in self.groups]
        if not self.by_hour:
            for document in documents:
                del document["hour"]
        return {
            "zoom": self.zoom,
            "groups" if self.by_hour else "flows": documents,
            "next": self.next,
            "notes": [note.as_json() for note in self.notes],
        }


def trip_groups(
    connection: Connection[Any], question: GroupQuestion, *, limit: int = 20, cursor: str | None = None
) -> TripGroups:
    """Return the groups of the selected trips, most trips first, `limit` of them from a cursor on.

    Raises UnknownNameError and BadQuestionError.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuestionError("limit", f"limit is {limit}; it must lie between 1 and {MAX_LIMIT}.")
    names_after = ("after_trips", "after_origin", "after_destination", "after_hour")
    parameters: dict[str, Any] = {"zoom": question.zoom, "limit": limit + 1, **dict.fromkeys(names_after)}
    parameters.update(zip(names_after, (_decode(cursor) if cursor else ()), strict=False))
    with snapshot(connection) as present:
        names = find_names(connection, question.selection)
        if question.zoom > GOLD_ZOOM:
            _check_size(connection, present, question, names)
        counted, given = counted_groups(connection, present, question, names)
        parameters.update({**names.parameters, **given})
        query = sql.SQL(QUERIES["page"]).format(counted=counted)
        rows = connection.execute(query, parameters).fetchall()
        shown = replace(question.selection, region=names.region, datasource=names.datasource)
        notes = tuple(answer_notes(connection, shown, names))
    found = [TripGroup(origin, destination, hour, trips, question.zoom) for origin, destination, hour, trips in rows]
    page = tuple(found[:limit])
    following = _encode(page[-1]) if len(found) > limit else None
    return TripGroups(question.zoom, page, following, by_hour=question.by_hour, notes=notes)


def _check_size(connection: Connection[Any], present: Snapshot, question: GroupQuestion, names: Names) -> None:
    """Raise BadQuestionError where cells finer than gold's would have too many trips looked at."""
    shapes = [shape for shapes in question.shapes.values() for shape in shapes]
    trips = sum(count_days(connection, present, question.selection, names).values())
    for end, shape in question.own_shapes:
        narrowed = replace(question.selection, shape=shape, match=end)
        trips = min(trips, sum(count_days(connection, present, narrowed, names).values()))
    if trips > MAX_FINE_TRIPS:
        hint = "a smaller area" if shapes else "an area, by bbox,"
        raise BadQuestionError(
            "zoom",
            f"zoom {question.zoom} is for {MAX_FINE_TRIPS:,} trips at most, and these are {trips:,}: zoom {GOLD_ZOOM}"
            f" would do, or {hint} at this zoom.",
        )


def _encode(group: TripGroup) -> str:
    key = json.dumps([group.trips, group.origin_tile, group.destination_tile, group.hour])
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _decode(cursor: str) -> _Key:
    try:
        trips, origin, destination, hour = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = (int(trips), int(origin), int(destination), int(hour))
    except (ValueError, TypeError, binascii.Error):
        key = None
    if key is None or not all(abs(number) < 1 << 63 for number in key):
        raise BadQuestionError("cursor", "This is not a cursor; take it from `next` of the page before.")
    return key
