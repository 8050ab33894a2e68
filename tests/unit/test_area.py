"""Boxes and matches as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripsmith.answers.question import BadQuestionError
from tripsmith.answers.selection import parse_match
from tripsmith.answers.shape import BoundingBox, parse_bbox


@given(
    st.tuples(st.floats(-180, 180), st.floats(-180, 180)),
    st.tuples(st.floats(-90, 90), st.floats(-90, 90)).map(sorted),
)
def test_a_box_is_read_as_it_is_written(longitudes, latitudes):
    west, east, south, north = *longitudes, *latitudes
    assert parse_bbox(f"{west!r}, {south!r},{east!r},{north!r} ") == BoundingBox(west, south, east, north)


def test_zero_is_a_number_and_west_may_be_beyond_east():
    assert parse_bbox("0,0,0,0") == BoundingBox(0, 0, 0, 0)
    assert parse_bbox("170,-10,-170,10").west == 170


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not a box"),
        ("1,2,3", "is not a box"),
        ("1,2,3,4,5", "is not a box"),
        ("a,b,c,d", "is not a box"),
        ("nan,0,1,1", "finite"),
        ("-inf,0,1,1", "finite"),
        ("-180.1,0,1,1", "west is -180.1"),
        ("0,0,181,1", "east is 181"),
        ("0,-91,1,1", "south is -91"),
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
