"""Random CSV read by Python's csv module and by Tripsmith: every field of bronze is the same.

`make fuzz SECONDS=600` runs it for longer.
"""

import csv
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from contents import bronze_rows, check_sums
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tripsmith.ingestion import submission

COLUMNS = ("region", "origin_coord", "destination_coord", "datetime", "datasource")
GOOD = ("Prague", "POINT (14.4 50.1)", "POINT (14.5 50.0)", "2018-05-28 09:03:40", "car")
SECONDS = float(os.environ.get("TRIPSMITH_FUZZ_SECONDS", "0"))


@dataclass
class Expected:
    """One record as it is to be read: its first line, and its fields, or None if a quote in it is never closed."""

    line: int
    fields: list[str] | None


def read_by_python(text: str, delimiter: str) -> Iterator[Expected]:
    """Yield the records of a text. Python's csv reads each, once it is known how many lines it has."""
    lines = text.split("\n")[:-1]
    start, judged = 0, 0
    while start < len(lines):
        stop, is_closed = _extent(lines, start, delimiter)
        row = next(csv.reader([line + "\n" for line in lines[start:stop]], delimiter=delimiter))
        inner = [line for line in lines[start + 1 : stop - 1] if _is_whole(line, delimiter)]
        if not is_closed:
            yield Expected(start + 2, None)
        elif inner and start >= judged and not _fits(row):
            yield Expected(start + 2, None)
            judged, stop = stop, start + 1
        elif row:
            yield Expected(start + 2, row)
        start = stop


def _extent(lines: list[str], start: int, delimiter: str) -> tuple[int, bool]:
    """Return after which line the record ends that starts at a line, and whether its quotes are closed."""
    number, rest = start, lines[start]
    at_field = True
    while rest:
        if not (at_field and rest.startswith('"')):
            at_field, rest = rest[0] == delimiter, rest[1:]
            continue
        opened, rest = number, rest[1:]
        while True:
            _, quote, after = rest.partition('"')
            if quote and after.startswith('"'):
                rest = after[1:]
            elif quote:
                rest = after
                break
            elif number + 1 == len(lines):
                return opened + 1, False
            else:
                number += 1
                rest = lines[number]
        tail = rest.lstrip(" \t") if delimiter != "\t" else rest.lstrip(" ")
        if number > opened and tail not in ("", "\r") and not tail.startswith(delimiter):
            return opened + 1, False
        at_field = False
    return number + 1, True


def _is_whole(line: str, delimiter: str) -> bool:
    stop, is_closed = _extent([line, ""], 0, delimiter)
    return is_closed and stop == 1 and _fits(next(csv.reader([line], delimiter=delimiter), []))


def _fits(row: list[str]) -> bool:
    return len(row) >= len(COLUMNS) and not any(row[len(COLUMNS) :])


pieces = [
    "a",
    "b c",
    ",",
    ";",
    "|",
    "\t",
    '"',
    '""',
    "'",
    " ",
    "\n",
    "\r\n",
    "\\",
    "\\.",
    "\\N",
    "é",
    "\ufeff",
    "\x01",
    '27" x',
]
field_text = st.one_of(
    st.lists(st.sampled_from(pieces), max_size=5).map("".join),
    st.lists(st.sampled_from(pieces), max_size=5).map(lambda parts: '"' + "".join(parts).replace('"', '""') + '"'),
    st.sampled_from(GOOD),
)
rows = st.lists(field_text, min_size=len(COLUMNS) - 1, max_size=len(COLUMNS) + 1)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A delimiter and what follows the header: rows of fields with anything in them, and a good one at the end."""
    delimiter = draw(st.sampled_from(",;|\t"))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    body = end.join(delimiter.join(row) for row in draw(st.lists(rows, min_size=1, max_size=20)))
    return delimiter, body + "\n" + delimiter.join(GOOD) + "\n"


def test_bronze_has_the_fields_that_python_reads(warehouse, ingest):
    deadline = time.monotonic() + SECONDS
    examples = 0

    @settings(
        suppress_health_check=list(HealthCheck),
        deadline=None,
        max_examples=150,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(file=files())
    def compare(file: tuple[str, str]) -> None:
        nonlocal examples
        examples += 1
        delimiter, body = file
        ended = ingest((delimiter.join(COLUMNS) + "\n" + body).encode())
        assert (ended.state, ended.error) == ("succeeded", None)
        expected = list(read_by_python(body, delimiter))
        with warehouse.connect() as connection:
            check_sums(connection, ended.id)
            stored = bronze_rows(connection, ended.id)
            malformed = connection.execute(
                "SELECT line FROM bronze.malformed_line WHERE ingestion_id = %s ORDER BY line", [ended.id]
            ).fetchall()
            submission.remove(connection, ended.id)
        fitting = [found for found in expected if found.fields is not None and _fits(found.fields)]
        assert stored == [(found.line, *(found.fields or [])[: len(COLUMNS)]) for found in fitting]
        assert malformed == [(found.line,) for found in expected if found not in fitting]

    compare()
    while time.monotonic() < deadline:
        compare()
    if SECONDS:
        print(f"{examples:,} random files read alike in {SECONDS:.0f} s")


@pytest.mark.parametrize("quotes", ['"', '""', '"a"', 'a"', '"a', '"a\n', '"a\nb"', ' "a"', '"a" ', '"a"b', '"a""b"'])
def test_python_and_the_reference_agree_on_single_fields(quotes):
    """The reference finds where records end by itself; where a quote is closed, Python ends them there too."""
    text = f"{quotes},x\nc,d\n"
    lines = text.split("\n")[:-1]
    stop, is_closed = _extent(lines, 0, ",")
    reader = csv.reader(line + "\n" for line in lines)
    next(reader)
    assert not is_closed or reader.line_num == stop
