"""The kinds of CSV that Tripsmith knows: which columns each must have, whatever their order and case."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WRAPPED = re.compile(r'\s+"(.*)"\s*', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of CSV. `columns` are the header names it needs, as `silver/<name>_*.sql` refers to them."""

    name: str
    columns: tuple[str, ...]

    def missing(self, header: Sequence[str], given: frozenset[str] = frozenset()) -> list[str]:
        """Return the columns that a header lacks; those in `given` (region, datasource) come as options instead."""
        present = {normalise(column) for column in header} | given
        return [column for column in self.columns if column not in present]

    def positions(self, header: Sequence[str]) -> dict[str, int]:
        """Return where in the header each of this format's columns stands, the first if it stands there twice."""
        found: dict[str, int] = {}
        for position, column in enumerate(header):
            found.setdefault(normalise(column), position)
        return {column: found[column] for column in self.columns if column in found}


def normalise(column: str) -> str:
    """Return a header name as formats spell it: trimmed, in lower case, without quotes that follow a blank."""
    name = unwrapped(column)
    return name.strip().casefold()


def unwrapped(value: str) -> str:
    """Return a value without quotes around it where blanks are before them: a quote opens no field there."""
    wrapped = _WRAPPED.fullmatch(value)
    return wrapped[1].replace('""', '"') if wrapped else value


TRIPS = Format("trips", ("region", "origin_coord", "destination_coord", "datetime", "datasource"))

FORMATS: dict[str, Format] = {known.name: known for known in (TRIPS,)}
