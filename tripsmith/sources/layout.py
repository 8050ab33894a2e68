"""How a CSV is laid out: its delimiter, its header and the format that this makes it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tripsmith.sources.formats import FORMATS, Format, normalise
from tripsmith.sources.records import QUOTE
from tripsmith.sources.stream import UTF8, SourceError, open_stream

MAX_HEADER_BYTES = 1 << 20
# A bronze row of more columns might not fit in a page of 8 kB, even with every value stored apart (18 bytes each).
MAX_COLUMNS = 400

_DELIMITERS = (b",", b";", b"\t")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first line of a file tells. `header_bytes` and `header_lines` lie before the first record."""

    format: Format
    delimiter: bytes
    columns: tuple[str, ...]
    header_bytes: int
    header_lines: int


def inspect(
    path: Path,
    encoding: str = UTF8,
    format_name: str | None = None,
    given: frozenset[str] = frozenset(),
    only: frozenset[int] | None = None,
) -> Layout:
    """Return the layout of a file; `given` names the columns (region, datasource) that options stand in for.

    `only` are the members of an archive that are wanted; all of them where none are given.

    Raises SourceError for a file that is empty, binary, without rows, or of no format that we know.
    """
    if format_name is not None:
        check_format(format_name)
    with open_stream(path, encoding, only) as stream:
        start = stream.read(MAX_HEADER_BYTES)
        more = len(start) == MAX_HEADER_BYTES
    header = _header(start, more)
    text = _decode(header)
    candidates = [FORMATS[format_name]] if format_name else list(FORMATS.values())
    rows = {delimiter: _parse(text, delimiter) for delimiter in _DELIMITERS}
    for delimiter, columns in rows.items():
        for known in candidates:
            if not known.missing(columns, given):
                _check_rows(start[len(header) :], more)
                return Layout(known, delimiter, tuple(columns), len(header), header.count(b"\n"))
    raise SourceError(_no_format(max(rows.values(), key=len), candidates, given))


def _header(start: bytes, more: bool) -> bytes:
    if not start.strip():
        raise SourceError("The file is empty; its first line must be a header such as " + _example())
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" in start and start[1:2] == b"\0"):
        raise SourceError("The file looks like UTF-16; say so with the encoding utf-16.")
    if b"\0" in start.split(b"\n", 1)[0]:
        raise SourceError("The file is binary, not CSV text.")
    begin, end, quotes = 0, start.find(b"\n"), 0
    while end >= 0:
        quotes += start.count(QUOTE, begin, end)
        if quotes % 2 == 0:
            return start[: end + 1]
        begin, end = end, start.find(b"\n", end + 1)
    if more:
        raise SourceError(
            f"The first line is longer than {MAX_HEADER_BYTES} bytes; it must be a header such as {_example()}"
        )
    if start.count(QUOTE) % 2:
        raise SourceError("A quote opened in the first line is never closed.")
    if b"\r" in start.strip():
        raise SourceError("Lines end with a carriage return alone; convert them to LF or CRLF.")
    return start


def _decode(header: bytes) -> str:
    try:
        text = header.decode()
    except UnicodeDecodeError as error:
        raise SourceError(
            f"The first line is not UTF-8 at byte {error.start + 1}; give the file's encoding if it has another."
        ) from error
    return text.rstrip("\r\n")


def _parse(text: str, delimiter: bytes) -> list[str]:
    try:
        columns = next(csv.reader([text], delimiter=delimiter.decode()), []) if "\n" not in text else [text]
    except csv.Error as error:  # a name of more than 128 KiB, or a carriage return in the midst of the line
        raise SourceError(f"The first line is not a header: {str(error).split(' - ')[0]}.") from error
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"The header has {len(columns)} columns; at most {MAX_COLUMNS} are taken.")
    return columns


def _check_rows(rest: bytes, more: bool) -> None:
    if not rest.strip() and not more:
        raise SourceError("The file has a header and no rows.")


def check_format(name: str) -> None:
    """Raise SourceError unless there is a format of this name."""
    if name not in FORMATS:
        raise SourceError(f"There is no format {name!r}; there is {', '.join(FORMATS)}.")


def _no_format(columns: Sequence[str], candidates: Sequence[Format], given: frozenset[str]) -> str:
    closest = min(candidates, key=lambda known: len(known.missing(columns, given)))
    missing = closest.missing(columns, given)
    if len(missing) == len(closest.columns) - len(given):
        shown = ",".join(columns)[:80]
        return f"The first line, {shown!r}, is not the header of a known format; it must be such as {_example()}"
    hint = " or give it as an option" if {"region", "datasource"} & {normalise(m) for m in missing} else ""
    return f"The header lacks {', '.join(missing)}; the format {closest.name} needs it{hint}."


def _example() -> str:
    return ",".join(next(iter(FORMATS.values())).columns) + "."
