"""Shapes on the map, a bounding box or a polygon: which points lie in one, and which rectangles lie in it or outside.

Degrees throughout; edges belong to the shape. Arrays are one-dimensional, of float64 or bool.
"""

import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry import MultiPolygon

from tripsmith.answers.question import BadQuestionError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A country with all its islands has fewer; more would only be slow.
MAX_VERTICES = 50_000


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
                raise BadQuestionError("bbox", f"{name} is {getattr(self, name):g}; it must lie between -180 and 180.")
        for name in ("south", "north"):
            if not -90 <= getattr(self, name) <= 90:
                raise BadQuestionError("bbox", f"{name} is {getattr(self, name):g}; it must lie between -90 and 90.")
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
    """A GeoJSON polygon or multipolygon, its boundary included; `geometry` lies between -180 and 180 degrees."""

    geometry: MultiPolygon

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
    """Return the box that `west,south,east,north` names; raise BadQuestionError."""
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise BadQuestionError(
            parameter,
            f"{text!r} is not a box; it must be west,south,east,north in degrees, such as 14.4,50.0,14.6,50.1.",
        ) from None
    try:
        return BoundingBox(west, south, east, north)
    except BadQuestionError as error:
        raise BadQuestionError(parameter, str(error)) from None


def parse_polygon(document: Any) -> Polygon:
    """Return the polygon of a GeoJSON Polygon, MultiPolygon, or Feature of one; raise BadQuestionError.

    Longitudes up to 180 degrees beyond the antimeridian are taken for what they mean on its other side.
    """
    if isinstance(document, dict) and document.get("type") == "Feature":
        document = document.get("geometry")
    if not isinstance(document, dict) or document.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadQuestionError("area", "area must be a GeoJSON Polygon or MultiPolygon, or a Feature of one.")
    coordinates: Any = document.get("coordinates")
    polygons = coordinates if document["type"] == "MultiPolygon" else [coordinates]
    _check_positions(polygons)
    try:
        geometry = MultiPolygon([(rings[0], rings[1:]) for rings in polygons])
    except (ValueError, TypeError, AttributeError, IndexError, shapely.errors.GEOSException) as error:
        raise BadQuestionError("area", f"The polygon cannot be read: {error}.") from None
    if geometry.is_empty:
        raise BadQuestionError("area", "The polygon has no positions.")
    if not geometry.is_valid:
        raise BadQuestionError(
            "area",
            f"The polygon is not valid: {shapely.is_valid_reason(geometry)}. Its rings must not cross or touch along a"
            " line, and holes must lie inside.",
        )
    return Polygon(_within_the_world(geometry))


def _check_positions(polygons: Any) -> None:
    vertices = 0
    if not isinstance(polygons, list):
        raise BadQuestionError("area", "coordinates must be lists of rings, a ring a list of positions.")
    for polygon in polygons:
        if not isinstance(polygon, list) or not all(isinstance(ring, list) for ring in polygon) or not polygon:
            raise BadQuestionError("area", "coordinates must be lists of rings, a ring a list of positions.")
        for ring in polygon:
            vertices += len(ring)
            if vertices > MAX_VERTICES:
                raise BadQuestionError(
                    "area", f"The polygon has more than {MAX_VERTICES:,} positions; simplify it before asking."
                )
            for position in ring:
                _check_position(position)
            if len(ring) < 4 or ring[0] != ring[-1]:
                raise BadQuestionError(
                    "area", "A ring must have four positions or more, the last the same as the first."
                )


def _check_position(position: Any) -> None:
    numbers = position[:2] if isinstance(position, list) else []
    if len(numbers) < 2 or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise BadQuestionError("area", f"{position!r} is not a position; it must be [longitude, latitude] in degrees.")
    if not (-360 <= numbers[0] <= 360 and -90 <= numbers[1] <= 90):
        raise BadQuestionError(
            "area", f"{position!r} is not on the map; it must be [longitude, latitude], latitudes between -90 and 90."
        )


def _within_the_world(geometry: MultiPolygon) -> MultiPolygon:
    """Return the geometry with what lies beyond the antimeridian put on its other side."""
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    parts = []
    for turn in (-360, 0, 360):
        moved = translate(geometry, xoff=turn)
        parts.append(shapely.intersection(moved, shapely.box(-180, -90, 180, 90)))
    united = shapely.union_all(parts)
    return MultiPolygon([part for part in shapely.get_parts(united) if part.geom_type == "Polygon"])
