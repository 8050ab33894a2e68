"""Shapes on the map, a bounding box or a polygon: which points lie in one, and which rectangles lie in it or outside.

Degrees throughout; edges belong to the shape. Arrays are one-dimensional, of float64 or bool.
"""

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from tripsmith.geometry.errors import BadQuestionError
from tripsmith.note import Note

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Maps that show the world several times write longitudes up to here.
_FARTHEST = 540


class Shape(Protocol):
    """What answers need to know of a shape."""

    def contains(self, longitudes: Floats, latitudes: Floats) -> Flags:
        """Tell of each point whether it lies in the shape or on its edge."""

    def covers(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Tell of each rectangle whether all of it lies in the shape."""

    def touches(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Tell of each rectangle whether any of it lies in the shape or on its edge."""

    def bounds(self) -> "BoundingBox":
        """Return a box that holds the shape."""


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A box, edges included; one whose west is greater than its east crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.west, self.south, self.east, self.north))):
            raise BadQuestionError("bbox", "Every edge of a box must be a finite number of degrees.")
        for name in ("west", "east"):
            if not -180 <= getattr(self, name) <= 180:
                edge = f"{name} is {getattr(self, name):g}"
                raise BadQuestionError("bbox", f"{edge}; it must be between -180 and 180.")
        for name in ("south", "north"):
            if not -90 <= getattr(self, name) <= 90:
                raise BadQuestionError(
                    "bbox",
                    f"{name} is {getattr(self, name):g}; it must be between -90 and 90."
                    " The order is west,south,east,north: longitude before latitude.",
                )
        if self.south > self.north:
            raise BadQuestionError(
                "bbox",
                f"south {self.south:g} is greater than north {self.north:g}; the order is west,south,east,north.",
            )

    def contains(self, longitudes: Floats, latitudes: Floats) -> Flags:
        """Tell of each point whether it lies in the box."""
        return self._holds(longitudes, longitudes) & (latitudes >= self.south) & (latitudes <= self.north)

    def covers(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Tell of each rectangle whether all of it lies in the box."""
        return self._holds(west, east) & (south >= self.south) & (north <= self.north)

    def touches(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Tell of each rectangle whether any of it lies in the box."""
        if self.west <= self.east:
            across = (west <= self.east) & (east >= self.west)
        else:
            across = (west <= self.east) | (east >= self.west)
        return across & (south <= self.north) & (north >= self.south)

    def bounds(self) -> "BoundingBox":
        """Return the box itself."""
        return self

    def _holds(self, west: Floats, east: Floats) -> Flags:
        if self.west <= self.east:
            return (west >= self.west) & (east <= self.east)
        return (west >= self.west) | (east <= self.east)


@dataclass(frozen=True)
class Polygon:
    """One or several polygons, boundaries included; `geometry` is between -180 and 180 degrees.

    `notes` say what of the document that it was read from is not in it.
    """

    geometry: MultiPolygon
    notes: tuple[Note, ...] = ()

    def contains(self, longitudes: Floats, latitudes: Floats) -> Flags:
        """Tell of each point whether it lies in the polygon or on its boundary."""
        return np.asarray(shapely.intersects_xy(self._prepared, longitudes, latitudes), dtype=bool)

    def covers(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Tell of each rectangle whether all of it lies in the polygon."""
        return np.asarray(shapely.covers(self._prepared, shapely.box(west, south, east, north)), dtype=bool)

    def touches(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Tell of each rectangle whether any of it lies in the polygon or on its boundary."""
        return np.asarray(shapely.intersects(self._prepared, shapely.box(west, south, east, north)), dtype=bool)

    def bounds(self) -> BoundingBox:
        """Return the smallest box that holds the polygon; it never crosses the antimeridian."""
        west, south, east, north = self.geometry.bounds
        return BoundingBox(west, south, east, north)

    def as_json(self) -> dict[str, Any]:
        """Return the GeoJSON geometry."""
        document: dict[str, Any] = json.loads(shapely.to_geojson(self.geometry))
        return document

    @cached_property
    def _prepared(self) -> MultiPolygon:
        shapely.prepare(self.geometry)
        return self.geometry


def parse_bbox(text: str, parameter: str = "bbox") -> BoundingBox:
    """Return the box that `west,south,east,north` names; raise BadQuestionError. See `box_between`."""
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise BadQuestionError(
            parameter,
            f"{text!r} is not a box; it must be west,south,east,north in degrees, such as 14.4,50.0,14.6,50.1.",
        ) from None
    return box_between(west, south, east, north, parameter)


def box_between(west: float, south: float, east: float, north: float, parameter: str = "bbox") -> BoundingBox:
    """Return the box with these edges as people write them; raise BadQuestionError.

    A box may cross the antimeridian: 170 to -170, or 170 to 190. A west greater than the east is refused where the box
    would be more than half of the world, as the two are more likely exchanged; with an east beyond 180 degrees such a
    box can be asked for all the same.
    """
    if not all(map(math.isfinite, (west, south, east, north))):
        raise BadQuestionError(parameter, "Every edge of a box must be a finite number of degrees.")
    if max(abs(west), abs(east)) > _FARTHEST:
        raise BadQuestionError(parameter, f"west {west:.15g} and east {east:.15g} must be between -180 and 180.")
    width = Decimal(repr(east)) - Decimal(repr(west))
    if width > 360:
        raise BadQuestionError(
            parameter,
            f"From west {west:.15g} to east {east:.15g} is more than once around the world; -180 to 180 is all.",
        )
    if width < 0 and (width % 360 + 360) % 360 > 180:
        between, around = _as_text(east, south, west, north), _as_text(west, south, east, north)
        raise BadQuestionError(
            parameter,
            f"west {west:.15g} is greater than east {east:.15g}; for the box between them write {between}, for the rest"
            f" of the world around it write {around}.",
        )
    try:
        if width == 360:
            return BoundingBox(-180.0, south, 180.0, north)
        return BoundingBox(_within_world(west), south, _within_world(east), north)
    except BadQuestionError as error:
        raise BadQuestionError(parameter, str(error)) from None


def _within_world(longitude: float) -> float:
    while longitude > 180:
        longitude = _turned(longitude, -1)
    while longitude < -180:
        longitude = _turned(longitude, 1)
    return longitude


def _turned(longitude: float, turns: int) -> float:
    """Return the longitude so many times around the world, to the decimal as it is written."""
    return float(Decimal(repr(longitude)) + 360 * turns)


def _as_text(west: float, south: float, east: float, north: float) -> str:
    """Return the box that goes east from west to east, as `box_between` reads it."""
    west, east = _within_world(west), _within_world(east)
    if east < west:
        east = _turned(east, 1)
    return ",".join(f"{edge:.15g}" for edge in (west, south, east, north))
