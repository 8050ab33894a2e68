"""CSV records as PostgreSQL's COPY reads them: a quote opens or closes wherever it stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

QUOTE = b'"'
_BACKSLASH = b"\\"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the physical line it starts on (the header is line 1), and its bytes without the line end."""

    line: int
    raw: bytes


def count_records(data: bytes) -> int:
    """Return how many line ends of `data` end a record, those inside quotes not being such."""
    if QUOTE not in data:
        return data.count(b"\n")
    return sum(piece.count(b"\n") for piece in data.split(QUOTE)[::2])


def is_unquoted(data: bytes) -> bool:
    """Whether neither a quote nor a backslash is in it: it is then alike as CSV and as COPY's own text format."""
    return QUOTE not in data and _BACKSLASH not in data


def split_records(blocks: Iterable[bytes], first_line: int) -> Iterator[Record]:
    """Yield the records of blocks that together start and end with a record; empty lines are not records."""
    line = first_line
    pending: list[bytes] = []
    lines, open_quote = 0, False
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for piece in whole:
            open_quote ^= bool(piece.count(QUOTE) % 2)
            pending.append(piece)
            lines += 1
            if open_quote:
                continue
            raw = b"\n".join(pending).removesuffix(b"\r")
            if raw:
                yield Record(line, raw)
            line += lines
            pending, lines = [], 0


def faults(record: Record, columns: int, delimiter: bytes) -> list[str]:
    """Return why a record cannot stand in a bronze table of that many columns; nothing when it can."""
    reasons = []
    outside = record.raw.split(QUOTE)[::2]
    found = sum(piece.count(delimiter) for piece in outside) + 1
    if found != columns:
        reasons.append(f"has {found} columns where the header has {columns}")
    if b"\0" in record.raw:
        reasons.append("has a NUL byte, which no text may hold")
    if any(b"\r" in piece for piece in outside):
        reasons.append("has a carriage return outside quotes")
    try:
        record.raw.decode()
    except UnicodeDecodeError as error:
        reasons.append(f"is not UTF-8 at byte {error.start + 1} (give the file's encoding if it has another)")
    return reasons


def join_lines(records: Iterable[Record], delimiter: bytes) -> Iterator[bytes]:
    """Yield records as CSV with the line number as their first field, some thousands at a time."""
    numbered = (b"%d%b%b\n" % (record.line, delimiter, record.raw) for record in records)
    while block := b"".join(islice(numbered, 2000)):
        yield block
