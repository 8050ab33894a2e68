"""Trip groups: trips with the same origin cell, destination cell and hour of day."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from tripsmith.answers.area import Area, BadQuestionError, condition, find_region
from tripsmith.answers.cell import cell_json, cell_name, tile_cell
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "trip_groups.sql")

MIN_ZOOM, MAX_ZOOM = 8, 18
GOLD_ZOOM = 13
MAX_LIMIT = 1000

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

    def as_json(self) -> dict[str, Any]:
        """Return the document of the API."""
        return {"zoom": self.zoom, "groups": [group.as_json() for group in self.groups], "next": self.next}


def trip_groups(
    connection: Connection[Any],
    area: Area,
    *,
    zoom: int = GOLD_ZOOM,
    hour: int | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> TripGroups:
    """Return the groups of an area's trips at a zoom, most trips first, `limit` of them from a cursor on.

    Raises UnknownRegionError and BadQuestionError.
    """
    _check(zoom, hour, limit)
    region_id = find_region(connection, area.region)[0] if area.region is not None else None
    if area.bbox is None and zoom <= GOLD_ZOOM:
        counted = sql.SQL(QUERIES["count_from_gold"]).format(
            region=sql.SQL("true") if region_id is None else sql.SQL("region_id = {}").format(sql.Literal(region_id))
        )
    else:
        counted = sql.SQL(QUERIES["count_from_silver"]).format(condition=condition(area, region_id))
    after = _decode(cursor) if cursor else None
    query = sql.SQL(QUERIES["page"]).format(counted=counted)
    names = ("after_trips", "after_origin", "after_destination", "after_hour")
    parameters = {"zoom": zoom, "hour": hour, "limit": limit + 1, **dict.fromkeys(names)}
    parameters.update(zip(names, after or (), strict=False))
    rows = connection.execute(query, parameters)
    found = [TripGroup(origin, destination, hour, trips, zoom) for origin, destination, hour, trips in rows]
    page = tuple(found[:limit])
    return TripGroups(zoom, page, _encode(page[-1]) if len(found) > limit else None)


def _check(zoom: int, hour: int | None, limit: int) -> None:
    if not MIN_ZOOM <= zoom <= MAX_ZOOM:
        raise BadQuestionError("zoom", f"zoom is {zoom}; it must lie between {MIN_ZOOM} and {MAX_ZOOM}.")
    if hour is not None and not 0 <= hour <= 23:
        raise BadQuestionError("hour", f"hour is {hour}; it must lie between 0 and 23.")
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuestionError("limit", f"limit is {limit}; it must lie between 1 and {MAX_LIMIT}.")


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
