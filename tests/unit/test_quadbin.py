"""Cells as the specification's own package sees them."""

import pytest
import quadbin
from hypothesis import given
from hypothesis import strategies as st

from tripsmith.geometry.quadbin import cell_bounds, cell_json, cell_name, cell_tile, cell_zoom

cells = st.integers(0, 26).flatmap(
    lambda zoom: st.builds(
        lambda x, y: quadbin.tile_to_cell((x, y, zoom)), st.integers(0, 2**zoom - 1), st.integers(0, 2**zoom - 1)
    )
)


@given(cells)
def test_a_cell_lies_where_the_specification_puts_it(cell):
    assert (*cell_tile(cell), cell_zoom(cell)) == quadbin.cell_to_tile(cell)
    assert cell_bounds(cell) == pytest.approx(quadbin.cell_to_bounding_box(cell), abs=1e-9)
    centre = cell_json(cell)
    assert quadbin.point_to_cell(centre["lon"], centre["lat"], cell_zoom(cell)) == cell
    assert int(cell_name(cell), 16) == cell
