"""Cells of the web-mercator quadtree, named by quadbin.

Specification: https://docs.carto.com/data-and-analysis/analytics-toolbox-overview/discrete-global-grid-systems/quadbin
"""

import math
from typing import Any

MAX_ZOOM = 26


def cell_zoom(cell: int) -> int:
    """Return the zoom of a quadbin."""
    return (cell >> 52) & 31


def tile_cell(tile: int, zoom: int) -> int:
    """Return the quadbin, at a zoom, of a tile given as x << 32 | y at zoom 26, as silver has it."""
    x, y = (tile >> 32) >> (MAX_ZOOM - zoom), (tile & 0xFFFFFFFF) >> (MAX_ZOOM - zoom)
    bits = sum((((x >> position) & 1) | ((y >> position) & 1) << 1) << (2 * position) for position in range(zoom))
    return 0x4800000000000000 | zoom << 52 | bits << (52 - 2 * zoom) | 0xFFFFFFFFFFFFF >> (2 * zoom)


def cell_tile(cell: int) -> tuple[int, int]:
    """Return the column and row of a quadbin's tile at its own zoom."""
    zoom = cell_zoom(cell)
    bits = (cell & 0xFFFFFFFFFFFFF) >> (52 - 2 * zoom)
    return _every_second_bit(bits), _every_second_bit(bits >> 1)


def cell_bounds(cell: int) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a quadbin in degrees.

    Formula: https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames
    """
    x, y = cell_tile(cell)
    size = 1 << cell_zoom(cell)
    return _longitude(x, size), _latitude(y + 1, size), _longitude(x + 1, size), _latitude(y, size)


def cell_json(cell: int) -> dict[str, Any]:
    """Return the centre (in web-mercator, as the cell is a square there) and the bounds of a cell."""
    x, y = cell_tile(cell)
    size = 1 << cell_zoom(cell)
    return {
        "lon": _longitude(x + 0.5, size),
        "lat": _latitude(y + 0.5, size),
        "bounds": list(cell_bounds(cell)),
    }


def cell_name(cell: int) -> str:
    """Return a cell as JSON shows it: hexadecimal, since JavaScript's numbers do not hold 64 bits."""
    return f"{cell:x}"


def _longitude(x: float, size: int) -> float:
    return x / size * 360 - 180


def _latitude(y: float, size: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / size))))


def _every_second_bit(bits: int) -> int:
    value = 0
    for position in range(MAX_ZOOM):
        value |= ((bits >> (2 * position)) & 1) << position
    return value
