"""How trips are grouped by cells and hour: from gold where it has them counted, by the trips at an area's edge."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from psycopg import Connection, sql

from tripsmith.answers.cover import Place, Tiles, classify, point_tiles, tile_mask
from tripsmith.answers.places import Places, Snapshot, Trips, in_shape, in_times, matching, scan_trips
from tripsmith.answers.question import BadQuestionError
from tripsmith.answers.selection import ALL_HOURS, Names, Selection, condition, end_condition
from tripsmith.answers.shape import BoundingBox, Floats, Polygon, Shape
from tripsmith.warehouse.gold.segment import ENDS, End
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "trip_groups.sql")

MIN_ZOOM, MAX_ZOOM = 8, 18
GOLD_ZOOM = 13

_Group = tuple[int, int, int]

WORLD = BoundingBox(-180, -90, 180, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuestion:
    """Which trips are grouped, and how: `origin` and `destination` are shapes that each end must lie in besides.

    Without `by_hour`, groups are told apart by their cells alone, and their hour is 0.
    """

    selection: Selection = field(default_factory=Selection)
    zoom: int = GOLD_ZOOM
    origin: Shape | None = None
    destination: Shape | None = None
    by_hour: bool = True

    def __post_init__(self) -> None:
        if not MIN_ZOOM <= self.zoom <= MAX_ZOOM:
            raise BadQuestionError("zoom", f"zoom is {self.zoom}; it must lie between {MIN_ZOOM} and {MAX_ZOOM}.")

    @property
    def in_gold(self) -> bool:
        """Whether gold has these groups counted but for what the shapes leave out."""
        selection = self.selection
        return (
            self.zoom <= GOLD_ZOOM and selection.datasource is None and replace(selection, hours=ALL_HOURS).every_time
        )

    @property
    def own_shapes(self) -> list[tuple[End, Shape]]:
        """The shapes asked for one end each, beside the selection's."""
        shapes: list[tuple[End, Shape | None]] = [("origin", self.origin), ("destination", self.destination)]
        return [(end, shape) for end, shape in shapes if shape is not None]

    @property
    def shapes(self) -> dict[End, list[Shape]]:
        """The shapes that each end must lie in; a shape that either may lie in is in none."""
        shapes: dict[End, list[Shape]] = {"origin": [], "destination": []}
        for end, shape in self.own_shapes:
            shapes[end].append(shape)
        if self.selection.shape is not None:
            for end in ENDS:
                if self.selection.match in (end, "both"):
                    shapes[end].append(self.selection.shape)
        return shapes


def counted_groups(
    connection: Connection[Any], present: Snapshot, question: GroupQuestion, names: Names
) -> tuple[sql.Composable, dict[str, Any]]:
    """Return a query that yields origin tile, destination tile, hour and trips, a group perhaps in parts.

    It has the parameters `zoom`, `hours`, `region_id` and those returned.
    """
    hour = sql.SQL("hour" if question.by_hour else "0")
    shapes = [(end, shape) for end, of_end in question.shapes.items() for shape in of_end]
    either = question.selection.shape is not None and question.selection.match == "either"
    parts: list[sql.Composable] = []
    left_out: sql.Composable = sql.SQL("true")
    whole_until = 0
    if question.in_gold and not either and len(shapes) <= 1:
        cells: sql.Composable = sql.SQL("true")
        if shapes:
            ((end, shape),) = shapes
            inside = sql.Literal(_gold_cells_inside(connection, end, shape, names))
            tile, silver_tile = sql.Identifier(f"{end}_tile"), sql.Identifier("trip", f"{end}_tile")
            cells = sql.SQL(QUERIES["in_cells"]).format(tile=tile, cells=inside)
            left_out = sql.SQL(QUERIES["not_in_cells"]).format(
                tile=silver_tile, zoom=sql.Literal(GOLD_ZOOM), cells=inside
            )
            whole_until = GOLD_ZOOM
        parts.append(sql.SQL(QUERIES["count_from_gold"]).format(hour=hour, cells=cells))
        if not shapes:
            return parts[0], {}
    counts: Counter[_Group] = Counter()
    if present.segments:
        for trips in _placed(Places(connection, present.segments, names), question, whole_until):
            _count(connection, counts, trips, question)
    if present.without_segment is not None:
        where = sql.SQL(" AND ").join([present.without_segment, left_out, *_conditions(question, names)])
        asked = (question.selection.shape, question.origin, question.destination)
        if any(isinstance(shape, Polygon) for shape in asked):
            for trips in scan_trips(connection, where):
                _count(connection, counts, _narrowed(matching(trips, question.selection), question), question)
        else:
            hour = sql.SQL(QUERIES["hour_of_trip"] if question.by_hour else "0")
            parts.append(sql.SQL(QUERIES["count_from_silver"]).format(hour=hour, condition=where))
    parts.append(sql.SQL(QUERIES["given"]))
    columns = list(zip(*counts, strict=True)) or [(), (), ()]
    given = dict(zip(("origin_tiles", "destination_tiles", "hours_counted"), map(list, columns), strict=True))
    return sql.SQL("\nUNION ALL\n").join(parts), {**given, "counts": list(counts.values())}


def _gold_cells_inside(connection: Connection[Any], end: End, shape: Shape, names: Names) -> list[int]:
    query = sql.SQL(QUERIES["list_gold_cells"]).format(tile=sql.Identifier(f"{end}_tile"))
    rows = connection.execute(query, names.parameters).fetchall()
    cells = np.array([cell for (cell,) in rows], dtype=np.int64)
    inside: list[int] = cells[classify(shape, cells, GOLD_ZOOM) == Place.INSIDE].tolist()
    return inside


def _conditions(question: GroupQuestion, names: Names) -> list[sql.Composable]:
    own = [end_condition(shape.bounds(), end) for end, shape in question.own_shapes]
    return [condition(question.selection, names), *own]


def _placed(places: Places, question: GroupQuestion, whole_until: int) -> Iterator[Trips]:
    """Yield the trips meant, origins as points; those only that `descend` comes down to."""
    selection, shapes = question.selection, question.shapes
    if selection.shape is not None and selection.match == "either":
        for trips in places.trips_within("origin", selection.shape):
            yield _narrowed(trips, question)
        for trips in places.trips_within("destination", selection.shape):
            yield _narrowed(_outside(trips.turned(), selection.shape), question)
    elif shapes["origin"] or not shapes["destination"]:
        shape = (shapes["origin"] or [WORLD])[0]
        for trips in places.trips_within("origin", shape, whole_until=whole_until):
            yield _narrowed(matching(trips, selection), question)
    else:
        for trips in places.trips_within("destination", shapes["destination"][0], whole_until=whole_until):
            yield _narrowed(matching(trips.turned(), selection), question)


def _outside(trips: Trips, shape: Shape) -> Trips:
    """Return the trips that do not start in a shape."""
    if trips.points is None:
        raise ValueError("the trips were read without their origins")
    return trips.where(~shape.contains(trips.points[:, 0], trips.points[:, 1]))


def _narrowed(trips: Trips, question: GroupQuestion) -> Trips:
    """Return the trips at the times meant, and with ends in the shapes of each end."""
    trips = in_times(trips, question.selection)
    if question.origin is not None:
        trips = in_shape(trips, question.origin)
    if question.destination is not None:
        trips = in_shape(trips, question.destination, others=True)
    return trips


def _count(connection: Connection[Any], counts: Counter[_Group], trips: Trips, question: GroupQuestion) -> None:
    if trips.points is None or trips.others is None or not len(trips.day_hours):
        return
    mask = tile_mask(question.zoom)
    origins, origin_of = np.unique(_tiles(connection, trips.points) & mask, return_inverse=True)
    destinations, destination_of = np.unique(_tiles(connection, trips.others) & mask, return_inverse=True)
    hours = trips.hours if question.by_hour else np.zeros_like(trips.hours)
    keys, found = np.unique((origin_of * len(destinations) + destination_of) * 24 + hours, return_counts=True)
    pairs, hour_of = keys // 24, keys % 24
    groups = zip(
        origins[pairs // len(destinations)].tolist(),
        destinations[pairs % len(destinations)].tolist(),
        hour_of.tolist(),
        strict=True,
    )
    for group, trips_found in zip(groups, found.tolist(), strict=True):
        counts[group] += trips_found


def _tiles(connection: Connection[Any], points: Floats) -> Tiles:
    """Return the tiles of points; PostgreSQL decides where another rounding could put one into the next row."""
    tiles, doubtful = point_tiles(points[:, 0], points[:, 1])
    if doubtful.any():
        parameters = {"longitudes": points[doubtful, 0].tolist(), "latitudes": points[doubtful, 1].tolist()}
        tiles[doubtful] = [tile for (tile,) in connection.execute(QUERIES["tiles"], parameters)]
    return tiles
