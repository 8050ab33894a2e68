"""The notes of an ingestion: what its chunks found, and how its trips are marked, in words and numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from tripsmith.note import Note
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.ingestion", "notes.sql")

Facts = dict[str, dict[str, int]]

# What a chunk may find, by code; {rows} and {first_line} are numbers.
_FACTS = {
    "extra_fields": "{rows:,} rows have empty fields beyond the last column, which were ignored; the first is on line"
    " {first_line:,}.",
    "lines_in_quotes": "{rows:,} lines that look like records of their own are inside quoted fields, the first in the"
    " record on line {first_line:,}: is a quote missing there?",
}

# What trips may be marked with, by code: in words for one trip, and for more.
_MARKS = {
    "before_1900": (
        "1 trip is dated before 1900; it is loaded and marked as suspicious.",
        "{trips:,} trips are dated before 1900; they are loaded and marked as suspicious.",
    ),
    "after_tomorrow": (
        "1 trip is dated later than the day after submission; it is loaded and marked as suspicious.",
        "{trips:,} trips are dated later than the day after submission; they are loaded and marked as suspicious.",
    ),
    "states_utc": (
        "1 trip states its time in UTC: its hour, day and week are those of UTC, not local.",
        "{trips:,} trips state their time in UTC: their hours, days and weeks are those of UTC, not local.",
    ),
}


def add_facts(facts: Facts, code: str, line: int, rows: int = 1) -> None:
    """Count rows of a chunk that something was found in, the first of them on a line."""
    known = facts.setdefault(code, {"rows": 0, "first_line": line})
    known["rows"] += rows
    known["first_line"] = min(known["first_line"], line)


def settle_notes(connection: Connection[Any], ingestion_id: int) -> None:
    """Give an ingestion the notes that follow from its chunks and from its trips, within the caller's transaction."""
    total: Facts = {}
    for (facts,) in connection.execute(QUERIES["list_facts"], {"id": ingestion_id}):
        for code, numbers in facts.items():
            add_facts(total, code, numbers["first_line"], numbers["rows"])
    _replace(connection, ingestion_id, _FACTS, total)
    settle_mark_notes(connection, ingestion_id)


def settle_mark_notes(connection: Connection[Any], ingestion_id: int) -> None:
    """Give an ingestion the notes that follow from its trips; those of before are replaced."""
    marked = dict(connection.execute(QUERIES["list_marks"], {"id": ingestion_id}).fetchall())
    notes = [
        Note(mark, (one if marked[mark] == 1 else more).format(trips=marked[mark]), {"trips": marked[mark]})
        for mark, (one, more) in _MARKS.items()
        if mark in marked
    ]
    replace_notes(connection, ingestion_id, list(_MARKS), notes)


def replace_notes(connection: Connection[Any], ingestion_id: int, codes: Sequence[str], notes: Sequence[Note]) -> None:
    """Give an ingestion these notes, in the place of earlier ones of these codes."""
    parameters = {"id": ingestion_id, "codes": list(codes), "notes": Jsonb([note.as_json() for note in notes])}
    connection.execute(QUERIES["replace_notes"], parameters)


def add_note(connection: Connection[Any], ingestion_id: int, note: Note) -> None:
    """Give an ingestion one more note, in the place of an earlier one of the same code."""
    replace_notes(connection, ingestion_id, [note.code], [note])


def _replace(
    connection: Connection[Any], ingestion_id: int, words: Mapping[str, str], found: Mapping[str, dict[str, int]]
) -> None:
    notes = [Note(code, message.format(**found[code]), found[code]) for code, message in words.items() if code in found]
    replace_notes(connection, ingestion_id, list(words), notes)
