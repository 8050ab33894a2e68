"""Numbers and text as people read them."""

import pytest

from tripsmith.words import counted, printable


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1,000 rows"), (1_000_001, "1,000,001 rows")],
)
def test_a_number_has_its_noun_in_the_plural_unless_it_is_one(number, text):
    assert counted(number, "row") == text


@pytest.mark.parametrize("text", ["", "trips.csv", "Zürich 京都 🚲", r"C:\x1b", 'say "no"'])
def test_printable_text_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\r\n\tb\0", r"a\r\n\tb\x00"),
        ("\u202etxt.csv", r"\u202etxt.csv"),
        ("tr\udcffps", r"tr\udcffps"),
        ("\x9b31m ü", r"\x9b31m ü"),
    ],
)
def test_characters_that_a_terminal_might_obey_are_escaped(text, shown):
    assert printable(text) == shown
