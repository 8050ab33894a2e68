"""How trips are grouped by cells and hour: from gold where it has them counted, by the trips at an area's edge."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from psycopg import Connection, sql

from tripsmith.answers.places import DayHours, Places, Snapshot, Trips, in_shape, in_times, lie_in, matching, scan_trips
from tripsmith.answers.selection import ALL_HOURS, Names, Selection, condition, end_condition
from tripsmith.geometry.cover import Place, Tiles, classify, point_tiles, tile_mask
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.shape import BoundingBox, Floats, Polygon, Shape
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
    def either(self) -> Shape | None:
        """The shape that either end may lie in, if that is what is asked."""
        return self.selection.shape if self.selection.match == "either" else None

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
    """Return a query that yields origin tile, destination tile, hour and trips of each group.

    It has the parameters `zoom`, `region_id` and those returned.
    """
    hour = sql.SQL("hour" if question.by_hour else "0")
    shapes = [(end, shape) for end, of_end in question.shapes.items() for shape in of_end]
    parts: list[sql.Composable] = []
    left_out: sql.Composable = sql.SQL("true")
    whole_until = 0
    if question.in_gold and question.either is None and len(shapes) <= 1:
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
        hours: sql.Composable = sql.SQL("true")
        if not question.selection.every_hour:
            hours = sql.SQL(QUERIES["in_hours"]).format(hours=sql.Literal(sorted(question.selection.hours)))
        parts.append(sql.SQL(QUERIES["count_from_gold"]).format(hour=hour, hours=hours, cells=cells))
        if not shapes:
            return parts[0], {}
    tally = _Tally(question)
    if present.segments:
        for trips in _placed(Places(connection, present.segments, names), question, whole_until):
            tally.add(trips)
    if present.without_segment is not None:
        where = sql.SQL(" AND ").join([present.without_segment, left_out, *_conditions(question, names)])
        asked = (question.selection.shape, question.origin, question.destination)
        if any(isinstance(shape, Polygon) for shape in asked):
            own = replace(question, selection=Selection()).shapes
            for trips in scan_trips(connection, where):
                tally.add(_narrowed(matching(trips, question.selection), question.selection, own))
        else:
            hour = sql.SQL(QUERIES["hour_of_trip"] if question.by_hour else "0")
            parts.append(sql.SQL(QUERIES["count_from_silver"]).format(hour=hour, condition=where))
    parts.append(sql.SQL(QUERIES["given"]))
    tally.settle(connection)
    columns = list(zip(*tally.counts, strict=True)) or [(), (), ()]
    given = dict(zip(("origin_tiles", "destination_tiles", "hours_counted"), map(list, columns), strict=True))
    merged = sql.SQL(QUERIES["merge"]).format(parts=sql.SQL("\nUNION ALL\n").join(parts))
    return merged, {**given, "counts": list(tally.counts.values())}


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
    shapes, either = question.shapes, question.either
    if either is not None:
        for trips in places.trips_within("origin", either):
            yield _narrowed(trips, question.selection, shapes)
        for trips in places.trips_within("destination", either):
            turned = trips.turned()
            yield _narrowed(turned.where(~lie_in(turned, either)), question.selection, shapes)
        return
    end: End = "destination" if shapes["destination"] and not shapes["origin"] else "origin"
    first, *shapes[end] = shapes[end] or [WORLD]
    for trips in places.trips_within(end, first, whole_until=whole_until):
        yield _narrowed(trips if end == "origin" else trips.turned(), question.selection, shapes)


def _narrowed(trips: Trips, selection: Selection, shapes: dict[End, list[Shape]]) -> Trips:
    """Return the trips at the times meant, and with ends in all the shapes of each end."""
    trips = in_times(trips, selection)
    for end in ENDS:
        for shape in shapes[end]:
            trips = in_shape(trips, shape, others=end == "destination")
    return trips


class _Tally:
    """Trips by group; those whose cell another rounding could change are counted last, by PostgreSQL's."""

    def __init__(self, question: GroupQuestion) -> None:
        self.counts: Counter[_Group] = Counter()
        self._question = question
        self._doubtful: list[Trips] = []

    def add(self, trips: Trips) -> None:
        """Count trips, both of whose ends were read."""
        if trips.points is None or trips.others is None or not len(trips.day_hours):
            return
        origins, doubtful_origins = point_tiles(trips.points[:, 0], trips.points[:, 1])
        destinations, doubtful_destinations = point_tiles(trips.others[:, 0], trips.others[:, 1])
        doubtful = doubtful_origins | doubtful_destinations
        if doubtful.any():
            self._doubtful.append(trips.where(doubtful))
        self._count(origins[~doubtful], destinations[~doubtful], trips.hours[~doubtful])

    def settle(self, connection: Connection[Any]) -> None:
        """Count what was left; the connection must not be in the midst of a COPY."""
        for trips in self._doubtful:
            if trips.points is not None and trips.others is not None:
                ends = [_tiles(connection, points) for points in (trips.points, trips.others)]
                self._count(ends[0], ends[1], trips.hours)
        self._doubtful.clear()

    def _count(self, origin_tiles: Tiles, destination_tiles: Tiles, hours: DayHours) -> None:
        mask = tile_mask(self._question.zoom)
        origins, origin_of = np.unique(origin_tiles & mask, return_inverse=True)
        destinations, destination_of = np.unique(destination_tiles & mask, return_inverse=True)
        if not self._question.by_hour:
            hours = np.zeros_like(hours)
        keys, found = np.unique((origin_of * len(destinations) + destination_of) * 24 + hours, return_counts=True)
        pairs, hour_of = keys // 24, keys % 24
        columns = (origins[pairs // len(destinations)], destinations[pairs % len(destinations)], hour_of, found)
        for origin, destination, hour, trips in zip(*(column.tolist() for column in columns), strict=True):
            self.counts[origin, destination, hour] += trips


def _tiles(connection: Connection[Any], points: Floats) -> Tiles:
    parameters = {"longitudes": points[:, 0].tolist(), "latitudes": points[:, 1].tolist()}
    return np.array([tile for (tile,) in connection.execute(QUERIES["tiles"], parameters)], dtype=np.int64)
