"""Areas as GeoJSON: polygons alone, in features, or in collections of either."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon

from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.shape import Polygon
from tripsmith.note import Note

# A country with all its islands has fewer; more would only be slow.
MAX_VERTICES = 50_000
_MAX_DEPTH = 20
_SHOWN = 3

# Longitude and latitude of WGS 84, as map tools name it; some write EPSG:4326 and mean the same order.
_WGS84 = re.compile(r"(OGC:.*CRS84h?|CRS84h?|EPSG:.*(4326|4979))", re.IGNORECASE)

_Rings = list[Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """A geometry that holds no others, and where in the document it is: `feature 3`, '' if there is no other."""

    where: str
    kind: str
    coordinates: Any

    def refuse(self, message: str) -> BadQuestionError:
        return BadQuestionError("area", f"{self.where.capitalize()}: {message}" if self.where else message)


def parse_polygon(document: Any) -> Polygon:
    """Return the area of a GeoJSON document: what its polygons cover together; raise BadQuestionError.

    It may be a Polygon, a MultiPolygon, a Feature, a FeatureCollection or a GeometryCollection. What is not a polygon
    is left out, with a note; a document without any polygon is refused. Longitudes beyond 180 degrees, up to 360, go on
    across the antimeridian.
    """
    wanted: list[_Part] = []
    others: list[_Part] = []
    for part in _parts(document):
        (wanted if part.kind in ("Polygon", "MultiPolygon") else others).append(part)
    if not wanted:
        found = f"; there is {_listed(others)}" if others else ""
        raise BadQuestionError(
            "area",
            "area must be a GeoJSON Polygon or MultiPolygon, or a Feature, FeatureCollection or GeometryCollection with"
            f" at least one{found}.",
        )
    vertices = 0
    polygons: list[shapely.Polygon] = []
    for part in wanted:
        for rings in _polygons_of(part):
            vertices += sum(len(ring) for ring in rings)
            if vertices > MAX_VERTICES:
                raise BadQuestionError(
                    "area", f"The area has more than {MAX_VERTICES:,} positions; simplify it before asking."
                )
            polygons.append(_polygon(part, rings))
    geometry = MultiPolygon(polygons)
    if not geometry.is_valid:  # its parts are, so some of them overlap
        geometry = _all_polygons(shapely.union_all(polygons))
    return Polygon(_within_the_world(geometry), _notes(others, len(wanted) + len(others)))


def _parts(document: Any, where: str = "", depth: int = 0) -> Iterator[_Part]:
    """Yield the geometries of a document, those in collections one by one."""
    if depth > _MAX_DEPTH:
        raise BadQuestionError("area", f"The area has collections in collections, more than {_MAX_DEPTH} deep.")
    if document is None:
        yield _Part(where, "nothing", None)
        return
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise BadQuestionError("area", f"{where.capitalize() or 'area'} must be a GeoJSON object with a `type`.")
    _check_crs(document)
    kind = document["type"]
    if kind == "Feature":
        yield from _parts(document.get("geometry"), where, depth + 1)
    elif kind in ("FeatureCollection", "GeometryCollection"):
        name, member = ("feature", "features") if kind == "FeatureCollection" else ("geometry", "geometries")
        members = document.get(member)
        if not isinstance(members, list):
            raise BadQuestionError("area", f"A {kind} must have a list of `{member}`.")
        within = f"{where}, " if where else ""
        for number, each in enumerate(members, 1):
            yield from _parts(each, f"{within}{name} {number}", depth + 1)
    else:
        yield _Part(where, kind, document.get("coordinates"))


def _check_crs(document: dict[str, Any]) -> None:
    crs = document.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not _WGS84.search(name):
        raise BadQuestionError(
            "area",
            f"The coordinates are in {name or crs!r}; they must be longitude and latitude in degrees. Export the file"
            " with the coordinate system WGS 84 (EPSG:4326).",
        )


def _polygons_of(part: _Part) -> Iterator[_Rings]:
    """Yield the polygons of a part, each as its rings; their form is checked."""
    polygons = part.coordinates if part.kind == "MultiPolygon" else [part.coordinates]
    if not isinstance(polygons, list) or not polygons:
        raise part.refuse("coordinates must be lists of rings, a ring a list of positions.")
    for rings in polygons:
        if not isinstance(rings, list) or not all(isinstance(ring, list) for ring in rings) or not rings:
            raise part.refuse("coordinates must be lists of rings, a ring a list of positions.")
        yield rings


def _polygon(part: _Part, rings: _Rings) -> shapely.Polygon:
    for ring in rings:
        for position in ring:
            _check_position(part, position)
        if len(ring) < 4 or ring[0][:2] != ring[-1][:2]:
            raise part.refuse("A ring must have four positions or more, the last the same as the first.")
    outer, *holes = ([position[:2] for position in ring] for ring in rings)
    polygon = shapely.Polygon(outer, holes)
    if not polygon.is_valid:
        raise part.refuse(
            f"The polygon is not valid: {shapely.is_valid_reason(polygon)}. Its rings must not cross or touch along a"
            " line, and holes must be inside."
        )
    return polygon


def _check_position(part: _Part, position: Any) -> None:
    numbers = position[:2] if isinstance(position, list) else []
    if len(numbers) < 2 or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise part.refuse(f"{position!r} is not a position; it must be [longitude, latitude] in degrees.")
    if not (-360 <= numbers[0] <= 360 and -90 <= numbers[1] <= 90):
        raise part.refuse(
            f"{position!r} is not on the map; it must be [longitude, latitude], latitudes between -90 and 90."
        )


def _notes(others: list[_Part], parts: int) -> tuple[Note, ...]:
    if not others:
        return ()
    what = "is not a polygon and was" if len(others) == 1 else "are not polygons and were"
    message = f"{len(others):,} of {parts:,} shapes of the area {what} left out: {_listed(others)}."
    return (Note("features_ignored", message, {"features": len(others), "of_features": parts}),)


def _listed(parts: list[_Part]) -> str:
    """Return what the first few parts are, and how many there are besides."""
    named = [f"{part.where} ({part.kind})" if part.where else part.kind for part in parts[:_SHOWN]]
    more = [f"{len(parts) - _SHOWN:,} more"] if len(parts) > _SHOWN else []
    return ", ".join(named + more)


def _all_polygons(geometry: shapely.Geometry) -> MultiPolygon:
    """Return the polygons of a geometry, without lines and points where shapes only touch."""
    return MultiPolygon([part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"])


def _within_the_world(geometry: MultiPolygon) -> MultiPolygon:
    """Return the geometry with what lies beyond the antimeridian put on its other side."""
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    world = shapely.box(-180, -90, 180, 90)
    turned = [shapely.intersection(translate(geometry, xoff=turn), world) for turn in (-360, 0, 360)]
    return _all_polygons(shapely.union_all(turned))
