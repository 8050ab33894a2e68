"""How a CSV is laid out: its delimiter, its header and the format that this makes it."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tripsmith.sources.formats import FORMATS, Format, normalise
from tripsmith.sources.quotes import Dialect, fields, record_at
from tripsmith.sources.stream import UTF8, SourceError, open_stream

MAX_HEADER_BYTES = 1 << 20
# A bronze row of more columns might not fit in a page of 8 kB, even with every value stored apart (18 bytes each).
MAX_COLUMNS = 400
MAX_COLUMN_NAME_BYTES = 128 << 10

_DELIMITERS = {b",": "comma", b";": "semicolon", b"\t": "tab", b"|": "vertical bar"}

# What Excel writes and reads to name the delimiter of what follows.
_SEPARATOR_LINE = re.compile(rb'"?sep=([,;\t|:^~#!&*/+=@$%-])"?\r?\n', re.IGNORECASE)
_BLANK_LINES = re.compile(rb"(?:[ \t]*\r?\n)+")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first line of a file tells. `header_bytes` and `header_lines` lie before the first record."""

    format: Format
    delimiter: bytes
    columns: tuple[str, ...]
    header_bytes: int
    header_lines: int

    @property
    def dialect(self) -> Dialect:
        """How its records are read."""
        return Dialect(self.delimiter, len(self.columns))


def inspect(
    path: Path,
    encoding: str = UTF8,
    format_name: str | None = None,
    given: frozenset[str] = frozenset(),
    only: frozenset[int] | None = None,
) -> Layout:
    """Return the layout of a file; `given` names the columns (region, datasource) that options stand in for.

    `only` are the members of an archive that are wanted; all of them where none are given. Blank lines before the
    header are passed over, as is a line `sep=;`, which names the delimiter.
    Raises SourceError for a file that is empty, binary, without rows, or of no format that we know.
    """
    if format_name is not None:
        check_format(format_name)
    with open_stream(path, encoding, only) as stream:
        start = stream.read(MAX_HEADER_BYTES)
        is_cut = len(start) == MAX_HEADER_BYTES
    _check_is_text(start)
    begin, delimiters = _preamble(start)
    candidates = [FORMATS[format_name]] if format_name else list(FORMATS.values())
    problems: list[SourceError] = []
    rows: list[tuple[str, ...]] = []
    for delimiter in delimiters:
        try:
            columns, stop = _header(start, begin, delimiter, is_cut=is_cut)
        except SourceError as error:
            problems.append(error)
            continue
        for known in candidates:
            if not known.missing(columns, given):
                if not start[stop:].strip() and not is_cut:
                    raise SourceError("The file has a header and no rows.")
                return Layout(known, delimiter, columns, stop, start.count(b"\n", 0, stop))
        rows.append(columns)
    if problems and max(map(len, rows), default=0) <= 1:
        raise problems[0]
    raise SourceError(_no_format(_first_line(start, begin), rows, delimiters, candidates, given))


def _check_is_text(start: bytes) -> None:
    if not start.strip():
        raise SourceError("The file is empty; its first line must be a header such as " + _example())
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" in start and start[1:2] == b"\0"):
        raise SourceError("The file looks like UTF-16; say so with the encoding utf-16.")
    if b"\0" in start.split(b"\n", 1)[0]:
        raise SourceError("The file is binary, not CSV text.")


def _preamble(start: bytes) -> tuple[int, Sequence[bytes]]:
    """Return where the header begins, and the delimiters that it may have."""
    begin = match.end() if (match := _BLANK_LINES.match(start)) else 0
    if separator := _SEPARATOR_LINE.match(start, begin):
        return separator.end(), [separator[1]]
    return begin, list(_DELIMITERS)


def _header(start: bytes, begin: int, delimiter: bytes, *, is_cut: bool) -> tuple[tuple[str, ...], int]:
    """Return the names of the columns and where the header stops. Raises SourceError where there is none."""
    data = start if is_cut or start.endswith(b"\n") else start + b"\n"
    span = record_at(data, begin, Dialect(delimiter), is_final=not is_cut)
    if span is None:
        raise SourceError(
            f"The first line is longer than {MAX_HEADER_BYTES} bytes; it must be a header such as {_example()}"
        )
    if span.is_faulty:
        raise SourceError("A quote opened in the first line is never closed.")
    header = data[begin : span.stop].rstrip(b"\r\n")
    if b"\n" not in start and b"\r" in header:
        raise SourceError("Lines end with a carriage return alone; convert them to LF or CRLF.")
    return _parse(header, delimiter), min(span.stop, len(start))


def _parse(header: bytes, delimiter: bytes) -> tuple[str, ...]:
    try:
        names = fields(header, delimiter)
    except csv.Error as error:
        raise SourceError("The first line is not a header: it has a carriage return outside quotes.") from error
    if max(map(len, names), default=0) > MAX_COLUMN_NAME_BYTES:
        raise SourceError(
            f"The first line is not a header: a name in it has more than {MAX_COLUMN_NAME_BYTES:,} bytes."
        )
    if len(names) > MAX_COLUMNS:
        raise SourceError(f"The header has {len(names):,} columns; at most {MAX_COLUMNS} are accepted.")
    try:
        header.decode()
    except UnicodeDecodeError as error:
        raise SourceError(
            f"The first line is not UTF-8 at byte {error.start + 1}; give the file's encoding if it has another."
        ) from error
    return tuple(name.decode() for name in names)


def _first_line(start: bytes, begin: int) -> str:
    line = start[begin:].split(b"\n", 1)[0].rstrip(b"\r").decode(errors="replace")
    return line if len(line) <= 200 else line[:200] + "…"


def check_format(name: str) -> None:
    """Raise SourceError unless there is a format of this name."""
    if name not in FORMATS:
        raise SourceError(f"There is no format {name!r}; there is {', '.join(FORMATS)}.")


def _no_format(
    first_line: str,
    rows: Sequence[Sequence[str]],
    delimiters: Sequence[bytes],
    candidates: Sequence[Format],
    given: frozenset[str],
) -> str:
    columns, closest = min(
        ((row, known) for row in rows for known in candidates), key=lambda pair: len(pair[1].missing(pair[0], given))
    )
    missing = closest.missing(columns, given)
    if len(missing) == len(closest.columns) - len(given):
        tried = ", ".join(_DELIMITERS.get(delimiter, repr(delimiter.decode("latin-1"))) for delimiter in delimiters)
        return (
            f"The first line is not the header of a known format: {first_line!r} (delimiters tried: {tried})."
            f" It must be such as {_example()}"
        )
    hint = " or give it as an option" if {"region", "datasource"} & {normalise(m) for m in missing} else ""
    return f"The header lacks {', '.join(missing)}; the format {closest.name} needs it{hint}."


def _example() -> str:
    return ",".join(next(iter(FORMATS.values())).columns) + "."
