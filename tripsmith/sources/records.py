"""CSV records as PostgreSQL's COPY reads them: a quote opens or closes wherever it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

QUOTE = b'"'


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


def split_records(data: bytes, first_line: int) -> Iterator[Record]:
    """Yield the records of `data`, which starts at a record's start; empty lines are not records."""
    line = first_line
    pending: list[bytes] = []
    open_quote = False
    for piece in data.split(b"\n"):
        if piece.count(QUOTE) % 2:
            open_quote = not open_quote
        pending.append(piece)
        if open_quote:
            continue
        raw = b"\n".join(pending).removesuffix(b"\r")
        if raw:
            yield Record(line, raw)
        line += len(pending)
        pending = []


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


def join_lines(records: Sequence[Record], delimiter: bytes) -> bytes:
    """Return records as CSV with the line number as their first field."""
    return b"".join(b"%d%b%b\n" % (record.line, delimiter, record.raw) for record in records)
