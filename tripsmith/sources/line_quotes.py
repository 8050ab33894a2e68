"""The quotes of many lines at once, each line read as a record of its own."""

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tripsmith.sources.quotes import MARK, QUOTE

_QUOTE, _NEWLINE, _CARRIAGE_RETURN = QUOTE[0], 0x0A, 0x0D


def respell(data: bytes, delimiter: bytes) -> bytes:
    """Return records of one line each, which have no MARK, with MARK as their quote: all others are characters then."""
    if QUOTE not in data:
        return data
    lines = LineQuotes(data, delimiter)
    for _ in lines.left_open():
        raise ValueError("A field spans lines.")
    letters = np.frombuffer(data, np.uint8).copy()
    letters[lines.syntax()] = MARK[0]
    doubled = lines.doubled()
    return (np.delete(letters, doubled) if len(doubled) else letters).tobytes()


class LineQuotes:
    """Which quotes of some lines open and close fields, and which are characters."""

    def __init__(self, data: bytes, delimiter: bytes) -> None:
        letters = np.frombuffer(data, np.uint8)
        self._places = places = np.flatnonzero(letters == _QUOTE)
        newlines = np.flatnonzero(letters == _NEWLINE)
        before = letters[places - 1]
        after = letters[np.minimum(places + 1, len(letters) - 1)]
        self._opens = (before == delimiter[0]) | (before == _NEWLINE) | (places == 0)
        closes = (after == delimiter[0]) | (after == _NEWLINE)
        # A carriage return ends a field only with the newline behind it.
        returns = np.flatnonzero(after == _CARRIAGE_RETURN)
        closes[returns] = letters[np.minimum(places[returns] + 2, len(letters) - 1)] == _NEWLINE
        line = np.searchsorted(newlines, places)
        first = np.searchsorted(line, line)
        self._is_odd = ((np.arange(len(places)) - first) & 1).astype(bool)
        self._pairs = np.zeros(len(places) + 1, bool)  # with the quote before it
        self._pairs[1:-1] = np.diff(places) == 1
        fits = np.where(self._is_odd, closes | self._pairs[1:], self._opens | self._pairs[:-1])
        # Of a line that fits, even quotes open and odd ones close, but for those that are pairs.
        last_is_odd = np.zeros(len(places), bool)
        last = np.append(line[1:] != line[:-1], True)
        last_is_odd[last] = self._is_odd[last]
        unfit = np.unique(line[~fits | (last & ~last_is_odd)])
        self._left = np.flatnonzero(np.isin(line, unfit)) if len(unfit) else np.zeros(0, np.intp)
        self._line = line
        self._starts = np.append(0, newlines + 1)
        self._opened: list[int] = []
        self._closed: list[int] = []
        self._doubled: list[int] = []

    @property
    def any_opens(self) -> bool:
        """Whether any quote stands where a field begins."""
        return bool(self._opens.any())

    @property
    def are_standard(self) -> bool:
        """Whether in every line each quote opens or closes a field properly, or is one of a pair within it."""
        return not len(self._left)

    def left_open(self) -> Iterator[int]:
        """Yield where those lines start in which a field is opened and not closed, in order."""
        places = self._places[self._left].tolist()
        opens = self._opens[self._left].tolist()
        lines = self._line[self._left].tolist()
        number, count = 0, len(places)
        while number < count:
            if not opens[number]:
                number += 1
                continue
            line, close = lines[number], number + 1
            while close + 1 < count and places[close + 1] == places[close] + 1 and lines[close] == line:
                self._doubled.append(places[close])
                close += 2
            if close < count and lines[close] == line:
                self._opened.append(places[number])
                self._closed.append(places[close])
                number = close + 1
            else:
                yield int(self._starts[line])
                number = bisect_left(lines, line + 1, number)

    def syntax(self) -> NDArray[np.intp]:
        """Return the places of the quotes that open or close a field, once all lines have been looked at."""
        fitting = np.ones(len(self._places), bool)
        fitting[self._left] = False
        # The first of a pair is odd and closes nothing, the second is even and opens nothing.
        of_pair = np.where(self._is_odd, self._pairs[1:], self._pairs[:-1])
        return np.concatenate([self._places[fitting & ~of_pair], np.array(self._opened + self._closed, np.intp)])

    def doubled(self) -> NDArray[np.intp]:
        """Return the places of the quotes that are the first of a pair, once all lines have been looked at."""
        fitting = np.ones(len(self._places), bool)
        fitting[self._left] = False
        return np.concatenate(
            [self._places[fitting & self._is_odd & self._pairs[1:]], np.array(self._doubled, np.intp)]
        )
