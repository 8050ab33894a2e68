"""Areas as map tools save them."""

import pytest
import shapely

from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.geojson import parse_polygon


def square(west, south, east, north, *height):
    return [[[x, y, *height] for x, y in ((west, south), (east, south), (east, north), (west, north), (west, south))]]


def polygon(*edges):
    return {"type": "Polygon", "coordinates": square(*edges)}


def feature(geometry):
    return {"type": "Feature", "properties": {"name": "A"}, "geometry": geometry}


def features(*geometries, **members):
    return {"type": "FeatureCollection", "features": [feature(geometry) for geometry in geometries], **members}


POINT = {"type": "Point", "coordinates": [4.8, 45.7]}
LINE = {"type": "LineString", "coordinates": [[4.8, 45.7], [4.9, 45.8]]}


@pytest.mark.parametrize(
    ("document", "area"),
    [
        (polygon(0, 0, 2, 2), 4),
        (feature(polygon(0, 0, 2, 2)), 4),
        (features(polygon(0, 0, 2, 2)), 4),
        (features(polygon(0, 0, 2, 2), polygon(3, 0, 4, 1)), 5),
        (features(polygon(0, 0, 2, 2), polygon(1, 1, 3, 3)), 7),
        (features(polygon(0, 0, 2, 2), polygon(0, 0, 2, 2)), 4),
        (features(polygon(0, 0, 2, 2), polygon(2, 0, 4, 2)), 8),
        ({"type": "MultiPolygon", "coordinates": [square(0, 0, 2, 2), square(1, 1, 3, 3)]}, 7),
        ({"type": "GeometryCollection", "geometries": [polygon(0, 0, 1, 1), polygon(5, 5, 6, 6)]}, 2),
        (features({"type": "GeometryCollection", "geometries": [polygon(0, 0, 1, 1)]}, polygon(5, 5, 6, 6)), 2),
        (features(polygon(179, 0, 181, 1), polygon(-180, 0, -179, 1)), 2),
    ],
)
def test_an_area_is_what_its_polygons_cover_together(document, area):
    parsed = parse_polygon(document)
    assert parsed.geometry.area == area
    assert parsed.geometry.is_valid
    assert parsed.notes == ()


def test_points_on_a_side_that_two_polygons_share_are_inside():
    parsed = parse_polygon(features(polygon(0, 0, 2, 2), polygon(2, 0, 4, 2)))
    assert list(parsed.contains([2.0, 2.0, 2.0, 4.1], [0.0, 1.0, 2.0, 1.0])) == [True, True, True, False]


@pytest.mark.parametrize(
    "name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326", "urn:ogc:def:crs:OGC::CRS84"]
)
def test_what_qgis_saves(name):
    crs = {"type": "name", "properties": {"name": name}}
    geometry = {"type": "MultiPolygon", "coordinates": [square(4.8, 45.73, 4.88, 45.79, 0.0)]}
    parsed = parse_polygon(features(geometry, crs=crs, name="area"))
    assert parsed.geometry.bounds == (4.8, 45.73, 4.88, 45.79)
    assert not shapely.has_z(parsed.geometry)


def test_what_is_not_a_polygon_is_left_out_with_a_note():
    (note,) = parse_polygon(features(POINT, polygon(0, 0, 1, 1), LINE, None)).notes
    assert note.as_json() == {
        "code": "features_ignored",
        "message": "3 of 4 shapes of the area are not polygons and were left out:"
        " feature 1 (Point), feature 3 (LineString), feature 4 (nothing).",
        "features": 3,
        "of_features": 4,
    }
    (note,) = parse_polygon(features(*[POINT] * 6, polygon(0, 0, 1, 1))).notes
    assert note.message.endswith("feature 3 (Point), 3 more.")


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (features(), "at least one"),
        (features(POINT, LINE), r"at least one; there is feature 1 \(Point\), feature 2 \(LineString\)"),
        (POINT, "at least one; there is Point"),
        ({"type": "FeatureCollection"}, "must have a list of `features`"),
        ({"type": "GeometryCollection", "geometries": 7}, "must have a list of `geometries`"),
        ({"type": "FeatureCollection", "features": [7]}, "Feature 1 must be a GeoJSON object"),
        ([], "must be a GeoJSON object"),
        (features(polygon(0, 0, 1, 1), polygon(0, 0, 1, 91)), "Feature 2: .* is not on the map"),
        (
            features(
                polygon(0, 0, 1, 1), {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
            ),
            "Feature 2: The polygon is not valid: Self-intersection",
        ),
        (features(polygon(0, 0, 1, 1), crs={"type": "name", "properties": {"name": "EPSG:3857"}}), "EPSG:3857.*4326"),
        (features(polygon(0, 0, 1, 1), crs={"type": "link"}), "must be longitude and latitude"),
        (features(*[polygon(0, 0, 1, 1)] * 10_001), "more than 50,000 positions"),
    ],
)
def test_what_is_wrong_with_an_area(document, complaint):
    with pytest.raises(BadQuestionError, match=complaint) as refusal:
        parse_polygon(document)
    assert refusal.value.parameter == "area"


def test_collections_may_not_hold_each_other_without_end():
    document = polygon(0, 0, 1, 1)
    for _ in range(50):
        document = {"type": "GeometryCollection", "geometries": [document]}
    with pytest.raises(BadQuestionError, match="more than 20 deep"):
        parse_polygon(document)
