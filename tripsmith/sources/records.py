"""The records of a CSV, each with its line, and what is wrong with them."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from tripsmith.sources.quotes import QUOTE, Dialect, fields, record_at

_BACKSLASH = b"\\"
_STRAY_RETURN = "has a carriage return outside quotes"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the physical line it starts on (the header is line 1), and its bytes without the line end.

    It `is_faulty` where a quote in it is never closed. `swallows` counts lines inside its quoted fields that are whole
    records by themselves.
    """

    line: int
    raw: bytes
    is_faulty: bool = False
    swallows: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A record as COPY takes it, or the reasons why it does not fit the table; `has_extra` empty fields, left out."""

    text: bytes
    reasons: list[str]
    has_extra: bool = False


def is_plain(data: bytes) -> bool:
    """Whether data without quotes is the same in COPY's own text format as in CSV."""
    return _BACKSLASH not in data


def split_records(blocks: Iterable[bytes], first_line: int, dialect: Dialect) -> Iterator[Record]:
    """Yield the records of blocks that together start and end with a record; empty lines are not records."""
    line, start, judged = first_line, 0, 0
    data, is_final = b"", False
    rest = iter(blocks)
    while not is_final:
        # As much again as is there, so that a long record is not looked at too often.
        data, start, judged = data[start:], 0, max(0, judged - start)
        more = _take(rest, max(1, len(data)))
        data, is_final = data + more, not more
        while (newline := data.find(b"\n", start)) >= 0:
            span = None
            if data.find(QUOTE, start, newline) >= 0:
                span = record_at(data, start, dialect, is_final=is_final, judged=judged)
                if span is None:
                    break
                judged = span.judged
            stop = span.stop if span else newline + 1
            raw = data[start : stop - 1].removesuffix(b"\r")
            if raw:
                yield Record(line, raw, span.is_faulty, span.swallows) if span else Record(line, raw)
            line += data.count(b"\n", start, stop) if span else 1
            start = stop


def _take(blocks: Iterator[bytes], size: int) -> bytes:
    """Return blocks of `size` bytes or more; fewer at the end."""
    taken, length = [], 0
    while length < size and (block := next(blocks, b"")):
        taken.append(block)
        length += len(block)
    return b"".join(taken)


def fit(record: Record, dialect: Dialect) -> Row:
    """Return a record as CSV whose quotes COPY reads as we do, or why it cannot stand in a table of those columns."""
    raw, columns = record.raw, dialect.columns
    reasons = []
    if record.is_faulty:
        reasons.append("has a quote that opens a field and is never closed")
    found: list[bytes] = []
    try:
        found = fields(raw, dialect.delimiter) if QUOTE in raw or b"\r" in raw else raw.split(dialect.delimiter)
    except csv.Error:
        reasons.append(_STRAY_RETURN)
    if not reasons and raw.endswith(b"\r"):
        reasons.append(_STRAY_RETURN)
    has_extra = len(found) > columns and not any(found[columns:])
    if not reasons and len(found) != columns and not has_extra:
        reasons.append(f"has {len(found)} column{'s' * (len(found) != 1)} where the header has {columns}")
    if b"\0" in raw:
        reasons.append("has a NUL byte, which no text may hold")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        reasons.append(f"is not UTF-8 at byte {error.start + 1} (give the file's encoding if it has another)")
    if reasons:
        return Row(b"", reasons)
    if QUOTE not in raw:
        text = dialect.delimiter.join(found[:columns]) if has_extra else raw
    else:
        text = dialect.delimiter.join(b'"%b"' % field.replace(QUOTE, QUOTE * 2) for field in found[:columns])
    return Row(text, [], has_extra)


def join_lines(rows: Iterable[tuple[int, bytes]], delimiter: bytes) -> Iterator[bytes]:
    """Yield lines and CSV records as CSV with the line as the first field, some thousands at a time."""
    numbered = (b"%d%b%b\n" % (line, delimiter, text) for line, text in rows)
    while block := b"".join(islice(numbered, 2000)):
        yield block


def marked(blocks: Iterable[bytes], delimiter: bytes) -> Iterator[bytes]:
    """Yield blocks of records of one line each with MARK for a quote; see `respell`."""
    from tripsmith.sources.line_quotes import respell

    rest = b""
    for block in blocks:
        data = rest + block
        end = data.rfind(b"\n") + 1
        if end:
            yield respell(data[:end], delimiter)
        rest = data[end:]
