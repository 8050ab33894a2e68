"""How many rows of a file may be rejected before the whole file fails: a number, or a share of those read."""

import re
from dataclasses import dataclass
from fractions import Fraction

_FORM = re.compile(r"(\d{1,15})|(\d{1,3}(?:\.\d{1,9})?)%", re.ASCII)


@dataclass(frozen=True, slots=True)
class RejectionLimit:
    """`text` is the limit as it was given; `rows` or `share` (0 to 1) is what it says, the other is None."""

    text: str
    rows: int | None
    share: Fraction | None

    def allows(self, rows_rejected: int, rows_read: int) -> bool:
        """Return whether so many of the rows read may be rejected."""
        if self.rows is not None:
            return rows_rejected <= self.rows
        return self.share is not None and rows_rejected <= self.share * rows_read


def parse_limit(text: str) -> RejectionLimit:
    """Return the limit that a text such as `100` or `5%` states. Raises ValueError, in words for the user."""
    found = _FORM.fullmatch(text.strip())
    if found is not None:
        rows, percent = found.groups()
        if rows is not None:
            return RejectionLimit(found.group(), int(rows), None)
        share = Fraction(percent) / 100
        if share <= 1:
            return RejectionLimit(found.group(), None, share)
    raise ValueError(f"{text!r} is not a limit; it must be a number of rows such as 100, or a share such as 5%.")
