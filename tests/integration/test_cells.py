"""Tiles and quadbins that SQL makes, against the specification's own package."""

import random

import pytest
import quadbin


@pytest.mark.both_servers
def test_tiles_and_quadbins_are_those_of_the_specification(warehouse):
    chance = random.Random(4)
    points = [(chance.uniform(-180, 180), chance.uniform(-90, 90)) for _ in range(5000)]
    points += [
        (float(longitude), float(latitude))
        for longitude in (-180, -179.9999999, -0.0, 0, 1e-12, 14.42, 179.9999999, 180)
        for latitude in (-90, -85.06, -85.0512, -85.0511, -1e-12, 0, 50.08, 85.0511, 85.0512, 85.06, 90)
    ]
    query = """
        SELECT gold.quadbin(silver.tile(longitude, latitude), zoom)
        FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS point (longitude, latitude, number)
        CROSS JOIN unnest(%s::int[]) AS zoom
        ORDER BY number, zoom"""
    zooms = [0, 1, 8, 14, 18, 26]
    with warehouse.connect() as connection:
        found = connection.execute(query, [*map(list, zip(*points, strict=True)), zooms]).fetchall()
    expected = [
        # 180 is the column of -180, which the package takes for the one beyond the last.
        quadbin.point_to_cell(-180 if longitude == 180 else longitude, latitude, zoom)
        for longitude, latitude in points
        for zoom in zooms
    ]
    assert [cell for (cell,) in found] == expected
