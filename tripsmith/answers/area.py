"""An area: a region, a bounding box, or both; and which end of a trip has to lie in the box."""

import difflib
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from psycopg import Connection, sql

from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.names import name_key

QUERIES = load_queries("tripsmith.answers", "area.sql")

Match = Literal["origin", "destination", "both", "either"]
MATCHES: tuple[Match, ...] = get_args(Match)


class BadQuestionError(ValueError):
    """A question that has no answer; `parameter` names what is wrong, the message what would be right."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class UnknownRegionError(LookupError):
    """No trip has this region; `near` are the names that resemble it."""

    def __init__(self, name: str, near: list[str]) -> None:
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"There is no region {name!r}.{hint}")
        self.near = near


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """Degrees, edges included; a box whose west is greater than its east crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.west, self.south, self.east, self.north))):
            raise BadQuestionError("bbox", "Every edge of a box must be a finite number of degrees.")
        for name in ("west", "east"):
            if not -180 <= getattr(self, name) <= 180:
                raise BadQuestionError("bbox", f"{name} is {getattr(self, name):g}; it must lie between -180 and 180.")
        for name in ("south", "north"):
            if not -90 <= getattr(self, name) <= 90:
                raise BadQuestionError("bbox", f"{name} is {getattr(self, name):g}; it must lie between -90 and 90.")
        if self.south > self.north:
            raise BadQuestionError(
                "bbox",
                f"south {self.south:g} is greater than north {self.north:g}; the order is west,south,east,north.",
            )


@dataclass(frozen=True, slots=True)
class Area:
    """The trips that a question is about: of a region, in a box, or both; all trips without either."""

    region: str | None = None
    bbox: BoundingBox | None = None
    match: Match = "origin"

    def as_json(self) -> dict[str, Any]:
        """Return what the answer says of its area."""
        bbox = self.bbox
        return {
            "region": self.region,
            "bbox": [bbox.west, bbox.south, bbox.east, bbox.north] if bbox else None,
        }


def parse_bbox(text: str) -> BoundingBox:
    """Return the box that `west,south,east,north` names; raise BadQuestionError."""
    parts = text.split(",")
    try:
        west, south, east, north = map(float, parts)
    except ValueError:
        raise BadQuestionError(
            "bbox", f"{text!r} is not a box; it must be west,south,east,north in degrees, such as 14.4,50.0,14.6,50.1."
        ) from None
    return BoundingBox(west, south, east, north)


def parse_match(text: str) -> Match:
    """Return the match of this name; raise BadQuestionError."""
    for match in MATCHES:
        if text == match:
            return match
    raise BadQuestionError("match", f"{text!r} is not a match; it must be one of {', '.join(MATCHES)}.")


def find_region(connection: Connection[Any], name: str) -> tuple[int, str]:
    """Return a region's number and its name as shown; raise UnknownRegionError with near names."""
    row = connection.execute(QUERIES["find_region"], {"key": name_key(name)}).fetchone()
    if row is not None:
        return int(row[0]), str(row[1])
    known = {name_key(shown): shown for (shown,) in connection.execute(QUERIES["list_region_names"])}
    near = difflib.get_close_matches(name_key(name), known, n=3)
    raise UnknownRegionError(name, [known[key] for key in near])


def condition(area: Area, region_id: int | None) -> sql.Composable:
    """Return the SQL condition on silver.trip that is true of the trips in an area."""
    parts: list[sql.Composable] = [sql.SQL("true")]
    if region_id is not None:
        parts.append(sql.SQL("trip.region_id = {}").format(sql.Literal(region_id)))
    if area.bbox is not None:
        parts.append(_box_condition(area.bbox, area.match))
    return sql.SQL(" AND ").join(parts)


def _box_condition(bbox: BoundingBox, match: Match) -> sql.Composable:
    fragment = "inside_box" if bbox.west <= bbox.east else "inside_box_over_antimeridian"
    ends = {
        end: sql.SQL(QUERIES[fragment]).format(
            longitude=sql.Identifier("trip", f"{end}_longitude"),
            latitude=sql.Identifier("trip", f"{end}_latitude"),
            west=sql.Literal(bbox.west),
            south=sql.Literal(bbox.south),
            east=sql.Literal(bbox.east),
            north=sql.Literal(bbox.north),
        )
        for end in ("origin", "destination")
    }
    if match == "both":
        return sql.SQL("({origin} AND {destination})").format(**ends)
    if match == "either":
        return sql.SQL("({origin} OR {destination})").format(**ends)
    return ends[match]
