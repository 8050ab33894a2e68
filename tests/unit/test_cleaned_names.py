"""Names cleaned and compared."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripsmith.names import clean, is_missing, name_key

FORMS = ("NFC", "NFD")
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0041"
BLANKS = " \t\n\u00a0\u1680\u2002\u2009\u202f\u205f\u3000"

texts = st.text(st.characters(exclude_categories=("Cs",)))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Zu\u0308rich", "Z\u00fcrich"),
        ("\ufeffGraz", "Graz"),
        ("Gr\u200baz\u00ad", "Graz"),
        ("u\u200b\u0308", "\u00fc"),
        ("\u200eGraz\u00a0\u2009West\u3000", "Graz West"),
        (BLANKS + INVISIBLE, ""),
        ("S\u00c3O  Paulo", "S\u00c3O Paulo"),
    ],
)
def test_clean(written, shown):
    assert clean(written) == shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Z\u00fcrich", "ZU\u0308RICH"),
        ("Wei\u00dfe Stra\u00dfe", "WEISSE STRASSE"),
        ("\u01f0", "J\u030c"),
        ("\u03ac\u0345", "\u1fb4"),
        ("New\u00a0York", "new york"),
    ],
)
def test_spellings_of_one_name_have_one_key(one, other):
    assert name_key(one) == name_key(other)


@given(texts, st.sampled_from(FORMS), st.sampled_from(INVISIBLE), st.sampled_from(BLANKS))
def test_a_key_does_not_depend_on_composition_invisible_characters_and_outer_blanks(text, form, invisible, blank):
    changed = blank + invisible + unicodedata.normalize(form, text).replace(" ", invisible + " " + blank) + blank
    assert name_key(changed) == name_key(text)
    assert name_key(clean(text)) == name_key(text)
    assert name_key(name_key(text)) == name_key(text)
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "name", ["", " \u00a0", "\u200b\ufeff", "NULL", " Null ", "\\N", "nan", "NaN", "None", "N/A", "#n/a"]
)
def test_names_that_stand_for_no_value(name):
    assert is_missing(name)


@pytest.mark.parametrize("name", ["NA", "na", "Nancy", "Nil", "0", "-", "None of these", "N"])
def test_names_that_are_names(name):
    assert not is_missing(name)
