"""Names as people write them: cleaned of what nobody sees, and compared by a key. Which of them stand for no value."""

import re
import unicodedata

_WRAPPED = re.compile(r'\s+"(.*)"\s*', re.DOTALL)

# What programs write where there is no value, as keys. `NA` is not one of them: it is a country, and a name.
MISSING_VALUES = ("null", "\\n", "nan", "none", "n/a", "#n/a", "<na>", "<null>", "(null)")


def unwrapped(value: str) -> str:
    """Return a value without the quotes around it if a blank is before them, as in `a, "b"`: those open no field."""
    wrapped = _WRAPPED.fullmatch(value)
    return wrapped[1].replace('""', '"') if wrapped else value


def clean(name: str) -> str:
    """Return a name fit to be shown: NFC, without invisible characters (category Cf), each run of blanks one space.

    A name of nothing but blanks and invisible characters becomes ''.
    """
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return " ".join(unicodedata.normalize("NFC", visible).split())


def name_key(name: str) -> str:
    """Return what all spellings of a name have in common, whatever their case and composition; '' for no name.

    Python's casefold, not the server's lower(), which depends on the locale of the database.
    """
    # Case is folded in the decomposed form (Unicode's definition D145), or canonically equal names could differ.
    folded = unicodedata.normalize("NFD", clean(name)).casefold()
    return unicodedata.normalize("NFC", folded)


def is_missing(name: str) -> bool:
    """Whether a name stands for no value: it is blank, or one of MISSING_VALUES in any case."""
    key = name_key(name)
    return not key or key in MISSING_VALUES
