"""Boxes and matches as people write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripsmith.answers.selection import parse_match
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.shape import BoundingBox, parse_bbox


@given(
    st.tuples(st.floats(-180, 180), st.floats(-180, 180)).map(sorted),
    st.tuples(st.floats(-90, 90), st.floats(-90, 90)).map(sorted),
)
def test_a_box_is_read_as_it_is_written(longitudes, latitudes):
    (west, east), (south, north) = longitudes, latitudes
    assert parse_bbox(f"{west!r}, {south!r},{east!r},{north!r} ") == BoundingBox(west, south, east, north)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("0,0,0,0", (0, 0, 0, 0)),
        ("170,-10,-170,10", (170, -10, -170, 10)),
        ("90,-10,-90,10", (90, -10, -90, 10)),
        ("170,50,190,60", (170, 50, -170, 60)),
        ("170.1,50,190.1,60", (170.1, 50, -169.9, 60)),
        ("-190.1,50,-170,60", (169.9, 50, -170, 60)),
        ("190,50,200,60", (-170, 50, -160, 60)),
        ("100,-50,310,50", (100, -50, -50, 50)),
        ("0,0,360,1", (-180, 0, 180, 1)),
        ("-170,0,190,1", (-180, 0, 180, 1)),
        ("-180,0,180,1", (-180, 0, 180, 1)),
        ("190,0,-160,1", (-170, 0, -160, 1)),
    ],
)
def test_boxes_across_the_antimeridian(text, box):
    assert parse_bbox(text) == BoundingBox(*box)


@pytest.mark.parametrize(
    ("text", "between", "around"),
    [
        ("14.6,50,14.4,50.1", (14.4, 50, 14.6, 50.1), (14.6, 50, 14.4, 50.1)),
        ("190,50,170,60", (170, 50, -170, 60), (-170, 50, 170, 60)),
        ("200,0,-170,1", (-170, 0, -160, 1), (-160, 0, -170, 1)),
        ("89,0,-90.5,1", (-90.5, 0, 89, 1), (89, 0, -90.5, 1)),
    ],
)
def test_exchanged_edges_are_refused_with_both_boxes_that_may_be_meant(text, between, around):
    with pytest.raises(BadQuestionError) as refusal:
        parse_bbox(text)
    hints = re.findall(r"write (\S+?)[,.]?(?= |$)", str(refusal.value))
    assert [parse_bbox(hint) for hint in hints] == [BoundingBox(*between), BoundingBox(*around)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not a box"),
        ("1,2,3", "is not a box"),
        ("1,2,3,4,5", "is not a box"),
        ("a,b,c,d", "is not a box"),
        ("nan,0,1,1", "finite"),
        ("-inf,0,1,1", "finite"),
        ("0,0,361,1", "more than once around"),
        ("0,0,541,1", "east 541 must be between -180 and 180"),
        ("14.6,50,14.4,50.1", "west 14.6 is greater than east 14.4"),
        ("200,0,-170,1", "west 200 is greater than east -170"),
        ("0,-91,1,1", "south is -91.*longitude before latitude"),
        ("0,0,1,90.5", "north is 90.5"),
        ("0,2,1,1", "south 2 is greater than north 1"),
    ],
)
def test_what_is_wrong_with_a_box(text, complaint):
    with pytest.raises(BadQuestionError, match=complaint) as refusal:
        parse_bbox(text)
    assert refusal.value.parameter == "bbox"


@pytest.mark.parametrize("name", ["origin", "destination", "both", "either"])
def test_a_match_is_read_as_it_is_written(name):
    assert parse_match(name) == name


def test_an_unknown_match_is_refused_with_a_list_of_the_known():
    with pytest.raises(BadQuestionError, match="origin, destination, both, either"):
        parse_match("Origin")
