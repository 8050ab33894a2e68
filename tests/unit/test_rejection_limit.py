"""Limits of rejected rows: which texts are one, and what each allows."""

import pytest

from tripsmith.rejection_limit import parse_limit


@pytest.mark.parametrize(
    ("text", "rejected", "read", "is_allowed"),
    [
        ("0", 0, 10, True),
        ("0", 1, 10, False),
        ("100", 100, 100, True),
        ("100", 101, 10**9, False),
        ("5%", 5, 100, True),
        ("5%", 5, 99, False),
        ("0%", 1, 10**12, False),
        ("0.1%", 1, 1000, True),
        ("0.1%", 1, 999, False),
        ("100%", 7, 7, True),
        (" 33.333333333% ", 1, 3, False),
    ],
)
def test_what_a_limit_allows(text, rejected, read, is_allowed):
    assert parse_limit(text).allows(rejected, read) is is_allowed


@pytest.mark.parametrize(
    "text", ["", " ", "%", "x", "-1", "+1", "5 %", "100.1%", "1.5", ".5%", "5.%", "1e3", "1,000", "٣"]
)
def test_texts_that_are_no_limit(text):
    with pytest.raises(ValueError, match=r"is not a limit; it must be a number of rows such as 100, or a share"):
        parse_limit(text)
