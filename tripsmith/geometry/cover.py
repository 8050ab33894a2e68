"""Which cells lie in a shape, which outside, and which on its edge, where the trips themselves decide."""

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tripsmith.geometry.quadbin import MAX_ZOOM
from tripsmith.geometry.shape import Flags, Floats, Shape

Tiles = NDArray[np.int64]

_SIDE = 1 << MAX_ZOOM

# PostgreSQL put a point in its cell with other roundings than those here: a hundred micrometres, in degrees.
_MARGIN = 1e-9


class Place(IntEnum):
    """Where a cell lies, seen from a shape."""

    OUTSIDE = 0
    EDGE = 1
    INSIDE = 2


def classify(shape: Shape, tiles: Tiles, zoom: int) -> NDArray[np.int8]:
    """Return the Place of each cell, given as its tile (x << 32 | y at zoom 26, the bits of `zoom` only).

    A cell has all the points that silver.tile puts there: the outermost rows reach to the poles, and the column of -180
    holds the points at 180 as well, and those that are rounded to it.
    """
    west, south, east, north = tile_bounds(tiles, zoom)
    places = _classify(shape, west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    first = tiles >> 32 == 0
    if first.any():
        far = np.full(int(first.sum()), 180.0)
        beyond = _classify(shape, far - _MARGIN, south[first] - _MARGIN, far, north[first] + _MARGIN)
        places[first] = np.where(places[first] == beyond, beyond, Place.EDGE)
    return places


def tile_bounds(tiles: Tiles, zoom: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return west, south, east and north of cells in degrees, the outermost rows reaching to the poles.

    Formula: https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames
    """
    size = 1 << (MAX_ZOOM - zoom)
    x, y = tiles >> 32, tiles & 0xFFFFFFFF
    north = np.where(y == 0, 90.0, _latitudes(y))
    south = np.where(y + size >= _SIDE, -90.0, _latitudes(y + size))
    return x / _SIDE * 360 - 180, south, (x + size) / _SIDE * 360 - 180, north


def tile_mask(zoom: int) -> int:
    """Return the bits of a tile that tell its cell at a zoom, as gold.tile_mask does."""
    return ((1 << MAX_ZOOM) - (1 << (MAX_ZOOM - zoom))) * ((1 << 32) + 1)


def point_tiles(longitudes: Floats, latitudes: Floats) -> tuple[Tiles, Flags]:
    """Return the tiles of points by the formula of silver.tile, and where sines with other roundings might disagree."""
    x = np.floor((longitudes + 180) * 186413.51111111112).astype(np.int64) & (_SIDE - 1)
    sines = np.sin(np.radians(np.clip(latitudes, -85.05112877980, 85.05112877980)))
    rows = 33554432 - 10680707.430881744 * np.arctanh(sines)
    doubtful = np.abs(rows - np.round(rows)) < 1e-5
    return x << 32 | np.floor(rows).astype(np.int64), doubtful


def _classify(shape: Shape, west: Floats, south: Floats, east: Floats, north: Floats) -> NDArray[np.int8]:
    places = np.full(len(west), Place.OUTSIDE, dtype=np.int8)
    touched: Flags = shape.touches(west, south, east, north)
    places[touched] = Place.EDGE
    inside = shape.covers(west[touched], np.maximum(south[touched], -90), east[touched], np.minimum(north[touched], 90))
    places[np.flatnonzero(touched)[inside]] = Place.INSIDE
    return places


def _latitudes(y: NDArray[np.int64]) -> Floats:
    return np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * y / _SIDE))))
