"""What each quote of a CSV means: it opens a field where the field begins, and is a character anywhere else.

The rule is that of RFC 4180 and of Python's csv module, with one exception, for quotes that were never meant to open a
field. A field that spans lines must be closed by a quote before a delimiter or a line end, within MAX_RECORD_BYTES. If
it is not, the quote that opened it costs its own line, and the lines after that are read as usual. The same holds if
the record does not have as many columns as the header, but a line that is wholly within its quotes has.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

QUOTE = b'"'
MAX_RECORD_BYTES = 16 << 20

# Takes the place of the quotes that open and close fields where others are characters: no text has it.
MARK = b"\x01"

csv.field_size_limit(2 * MAX_RECORD_BYTES)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file separates its columns, and how many its header has; `columns` is 0 for the header itself."""

    delimiter: bytes
    columns: int = 0


class Quotes(Enum):
    """What the quotes in some whole records are."""

    NONE = "none"
    STANDARD = "standard"  # each opens or closes a field, or is one of a pair within it
    LITERAL = "literal"  # all are characters
    MIXED = "mixed"

    def joined(self, other: "Quotes") -> "Quotes":
        """Return what the quotes in both are."""
        if Quotes.NONE in (self, other):
            return other if self is Quotes.NONE else self
        return self if self is other else Quotes.MIXED


@dataclass(frozen=True, slots=True)
class Span:
    """One record: where it stops, after its newline. It is faulty where a quote that opens a field is never closed.

    Lines up to `judged` have been looked at; a record among them is not taken apart again. `swallows` are lines within
    the record that are whole records by themselves.
    """

    stop: int
    judged: int
    is_faulty: bool = False
    swallows: int = 0


def record_at(data: bytes, start: int, dialect: Dialect, *, is_final: bool, judged: int = 0) -> Span | None:
    """Return the record that starts at `start`; None where more bytes are needed to know.

    `judged` is that of the record before. Whatever the bytes, they are some record.
    """
    stop, opened = _stop_of_record(data, start, dialect.delimiter, is_final=is_final)
    if stop is None:
        return None
    if opened is not None:
        return Span(_line_stop(data, opened), judged, is_faulty=True)
    first_stop = _line_stop(data, start)
    if stop == first_stop or not dialect.columns:
        return Span(stop, judged)
    # The last line is no witness: the quote that closes the field is on it.
    last_start = data.rfind(b"\n", start, stop - 1) + 1
    swallowed = sum(_is_whole(line, dialect) for line in _lines(data, first_stop, last_start))
    if swallowed == 0 or start < judged or _has_columns(data[start : stop - 1], dialect):
        return Span(stop, judged, swallows=swallowed)
    return Span(first_stop, judged=stop, is_faulty=True)


def fields(record: bytes, delimiter: bytes) -> list[bytes]:
    """Return the fields of one record without its line end; raise csv.Error for a carriage return outside quotes."""
    # Latin-1 gives each byte a character and back.
    row = next(csv.reader([record.decode("latin-1")], delimiter=delimiter.decode()), [])
    return [field.encode("latin-1") for field in row]


def _stop_of_record(data: bytes, start: int, delimiter: bytes, *, is_final: bool) -> tuple[int | None, int | None]:
    """Return where the record at `start` stops, None if that cannot be known yet, and which quote is never closed.

    Where there is such a quote, the record would stop where the field was looked for in vain.
    """
    closed = re.compile(rb"[ \t]*(?:%b|\r?\n)" % re.escape(delimiter))
    place, newline = start, start - 1
    while True:
        # Looked for once a line, which may have millions of quotes.
        if newline < place:
            newline = data.find(b"\n", place)
        if newline < 0:
            return None, None
        quote = data.find(QUOTE, place, newline)
        if quote < 0:
            return newline + 1, None
        place = quote + 1
        if quote != start and data[quote - 1 : quote] != delimiter:
            continue
        close = _closing_quote(data, place, start + MAX_RECORD_BYTES)
        if close < 0:
            if not is_final and len(data) <= start + MAX_RECORD_BYTES:
                return None, None
            return min(len(data), start + MAX_RECORD_BYTES), quote
        if data.find(b"\n", place, close) >= 0 and not closed.match(data, close + 1):
            if not is_final and not data[close + 1 :].strip(b" \t\r"):
                return None, None
            return close, quote
        place = close + 1


def _closing_quote(data: bytes, place: int, limit: int) -> int:
    """Return where the first quote from `place` on is that is not one of a pair; -1 where there is none."""
    while (place := data.find(QUOTE, place, limit)) >= 0:
        if data[place + 1 : place + 2] != QUOTE:
            return place
        place += 2
    return -1


def _line_stop(data: bytes, place: int) -> int:
    """Return where the line that `place` is on stops, after its newline."""
    return data.find(b"\n", place) + 1 or len(data)


def _lines(data: bytes, start: int, stop: int) -> Iterator[bytes]:
    while start < stop:
        newline = data.find(b"\n", start)
        yield data[start:newline]
        start = newline + 1


def _is_whole(line: bytes, dialect: Dialect) -> bool:
    """Whether a line, without its newline, is a record with the columns of the header."""
    if line.count(dialect.delimiter) < dialect.columns - 1:
        return False
    stop, opened = _stop_of_record(line + b"\n", 0, dialect.delimiter, is_final=True)
    return opened is None and stop == len(line) + 1 and _has_columns(line, dialect)


def _has_columns(record: bytes, dialect: Dialect) -> bool:
    """Whether a record has the columns of the header, empty ones beyond them not counted."""
    try:
        found = fields(record.removesuffix(b"\r"), dialect.delimiter)
    except csv.Error:
        return False
    return len(found) >= dialect.columns and not any(found[dialect.columns :])
