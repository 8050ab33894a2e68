"""The kinds of CSV that Tripsmith knows: which columns each must have, whatever their order and case."""

from collections.abc import Sequence
from dataclasses import dataclass

from tripsmith.names import name_key, unwrapped


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
    """Return a header name as formats spell it: as names are compared, without quotes that follow a blank."""
    return name_key(unwrapped(column))


TRIPS = Format("trips", ("region", "origin_coord", "destination_coord", "datetime", "datasource"))

FORMATS: dict[str, Format] = {known.name: known for known in (TRIPS,)}
