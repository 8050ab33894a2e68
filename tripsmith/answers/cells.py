"""Trips by cell in a view of the map: how many start or end in each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from psycopg import Connection, sql

from tripsmith.answers.places import Places, snapshot, times_meant, unpack_hours
from tripsmith.answers.selection import Selection, condition, find_names
from tripsmith.geometry.cover import Tiles, point_tiles, tile_mask
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.quadbin import MAX_ZOOM as TILE_ZOOM
from tripsmith.geometry.quadbin import cell_name, tile_cell
from tripsmith.geometry.shape import BoundingBox
from tripsmith.warehouse.gold.segment import TRIP_ZOOM, WEEK_ZOOMS, End
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "cells.sql")

MIN_ZOOM, MAX_ZOOM = 0, TRIP_ZOOM
# A screen has room for fewer; a question that finds more is better asked at a coarser zoom.
MAX_CELLS = 100_000

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class CellCounts:
    """The cells in view that have trips, with all of their trips, also those that lie outside the view."""

    zoom: int
    cells: dict[int, int]

    def as_json(self) -> dict[str, Any]:
        """Return the document of the API, most trips first."""
        ordered = sorted(self.cells.items(), key=lambda item: (-item[1], item[0]))
        return {"zoom": self.zoom, "cells": [{"cell": cell_name(cell), "trips": trips} for cell, trips in ordered]}


def cell_counts(connection: Connection[Any], selection: Selection, *, zoom: int) -> CellCounts:
    """Return the trips of the cells of a zoom that the selection's shape, a box, touches.

    Raises UnknownNameError and BadQuestionError.
    """
    if not MIN_ZOOM <= zoom <= MAX_ZOOM:
        raise BadQuestionError("zoom", f"zoom is {zoom}; it must lie between {MIN_ZOOM} and {MAX_ZOOM}.")
    view = selection.shape
    if not isinstance(view, BoundingBox):
        raise BadQuestionError("bbox", "The box in view is missing; give bbox as west,south,east,north.")
    if selection.match == "origin":
        end: End = "origin"
    elif selection.match == "destination":
        end = "destination"
    else:
        raise BadQuestionError("match", f"match is {selection.match}; for cells it must be origin or destination.")
    tiles: Counter[int] = Counter()
    with snapshot(connection) as present:
        names = find_names(connection, selection)
        frames = _frames(view, zoom)
        if present.segments:
            places = Places(connection, present.segments, names)
            for tile, trips in _from_gold(connection, places, selection, frames, end, zoom):
                tiles[tile] += trips
        if present.without_segment is not None:
            elsewhere = replace(selection, shape=None)
            where = sql.SQL(" AND ").join(
                [present.without_segment, condition(elsewhere, names), _in_frames(frames, end)]
            )
            tile_column = sql.Identifier("trip", f"{end}_tile")
            query = sql.SQL(QUERIES["cells_of_silver"]).format(tile=tile_column, condition=where)
            for tile, trips in connection.execute(query, {"zoom": zoom}):
                tiles[tile] += trips
    if len(tiles) > MAX_CELLS:
        raise BadQuestionError(
            "zoom", f"Zoom {zoom} has {len(tiles):,} cells in this box; ask for a coarser zoom, or a smaller box."
        )
    return CellCounts(zoom, {tile_cell(tile, zoom): trips for tile, trips in tiles.items() if trips})


@dataclass(frozen=True, slots=True)
class _Frame:
    """Whole cells of a zoom, by their columns and rows at the zoom of tiles, first and last included."""

    west: int
    east: int
    north: int
    south: int


def _frames(view: BoundingBox, zoom: int) -> list[_Frame]:
    """Return the cells that a box touches; several frames where it touches or crosses the antimeridian."""
    if view.west > view.east:
        parts = [replace(view, east=180.0), replace(view, west=-180.0)]
        return [frame for part in parts for frame in _frames(part, zoom)]
    corners, _ = point_tiles(np.array([view.west, view.east]), np.array([view.north, view.south]))
    (west, east), (north, south) = (corners >> 32).tolist(), (corners & 0xFFFFFFFF).tolist()
    rest = (1 << (TILE_ZOOM - zoom)) - 1
    columns = [(west, east)]
    if east == 0 and view.east > 0:
        # 180 degrees, and what is rounded to them, are in the column of -180.
        columns = [(0, 0)] if west == 0 and view.west > 0 else [(west, (1 << TILE_ZOOM) - 1), (0, 0)]
    return [_Frame(west & ~rest, east | rest, north & ~rest, south | rest) for west, east in columns]


def _touching(cells: Tiles, zoom: int, frames: list[_Frame]) -> Tiles:
    """Return the cells of a zoom that are at least partly in a frame."""
    rest = (1 << (TILE_ZOOM - zoom)) - 1
    x, y = cells >> 32, cells & 0xFFFFFFFF
    kept = np.zeros(len(cells), dtype=bool)
    for frame in frames:
        kept |= (x <= frame.east) & (x + rest >= frame.west) & (y <= frame.south) & (y + rest >= frame.north)
    return cells[kept]


def _from_gold(
    connection: Connection[Any], places: Places, selection: Selection, frames: list[_Frame], end: End, zoom: int
) -> Iterator[tuple[int, int]]:
    """Yield tiles of a zoom and trips; a tile may come several times."""
    parents: list[int] | None = None
    for level in (*WEEK_ZOOMS, TRIP_ZOOM):
        cells = _touching(places.cells(end, level, parents), level, frames)
        if level == TRIP_ZOOM or (level >= zoom and selection.every_hour):
            break
        parents = cells.tolist()
    parameters = {
        **places.parameters,
        "zoom": zoom,
        "level": level,
        "parents": [0] if parents is None else parents,
        "cells": cells.tolist(),
        "start": selection.start,
        "end": selection.end,
    }
    if level != TRIP_ZOOM:
        query = sql.SQL(QUERIES["cells_by_day"]).format(days=_days(selection), end=sql.SQL(end))
        yield from connection.execute(query, parameters)
        return
    mask = tile_mask(zoom)
    query = sql.SQL(QUERIES["cells_of_trips"]).format(end=sql.SQL(end))
    with connection.cursor("cells", binary=True) as cursor:
        for cell, trips, hours in cursor.execute(query, {**parameters, "with_hours": not selection.every_time}):
            yield cell & mask, trips if hours is None else int(times_meant(unpack_hours(hours), selection).sum())


def _days(selection: Selection) -> sql.Composable:
    """Return the sum of a week's columns of the days meant."""
    columns: list[sql.Composable] = []
    for number, name in enumerate(_WEEKDAYS):
        if number + 1 in selection.weekdays:
            column = sql.Identifier(name)
            if selection.start is not None or selection.end is not None:
                column = sql.SQL(QUERIES["day"]).format(number=sql.Literal(number), day=column)  # type: ignore[assignment]
            columns.append(column)
    return sql.SQL(" + ").join(columns)


def _in_frames(frames: list[_Frame], end: End) -> sql.Composable:
    """Return the condition on silver.trip that one end is in a frame."""
    tile = sql.Identifier("trip", f"{end}_tile")
    parts = [
        sql.SQL(QUERIES["in_tiles"]).format(
            tile=tile,
            west=sql.Literal(frame.west),
            east=sql.Literal(frame.east),
            north=sql.Literal(frame.north),
            south=sql.Literal(frame.south),
        )
        for frame in frames
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))
