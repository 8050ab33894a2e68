"""What would mislead about any answer: how trips that it counts are marked, and ingestions that it does not count."""

from datetime import UTC, date, datetime
from typing import Any

from psycopg import Connection

from tripsmith.answers.selection import Names, Selection
from tripsmith.note import Note
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "notes.sql")

_UTC = "states_utc"
# How trips are dated that are marked so; other marks are named as they are.
_DATED = {"before_1900": "before 1900", "after_tomorrow": "after tomorrow"}


def answer_notes(connection: Connection[Any], selection: Selection, names: Names) -> list[Note]:
    """Return the notes that any answer about a selection carries; part of the caller's snapshot.

    Marks are counted by region and data source only, so their notes say whose trips they count.
    """
    marks: dict[str, int] = dict(connection.execute(QUERIES["sum_marks"], names.parameters).fetchall())
    uncounted = connection.execute(QUERIES["list_uncounted"]).fetchall()
    return [*selection.notes, *_mark_notes(marks, selection), *(_uncounted_note(*row) for row in uncounted)]


def _mark_notes(marks: dict[str, int], selection: Selection) -> list[Note]:
    notes = []
    whose = _whose(selection)
    if trips := marks.pop(_UTC, 0):
        state, their = ("states", "its") if trips == 1 else ("state", "their")
        message = f"{_trips(trips)} {whose} {state} UTC: {their} hours, days and weeks are those of UTC, not local."
        notes.append(Note(_UTC, message, {"trips": trips}))
    # Dates that leave such trips out leave nothing to say.
    if selection.start is not None and selection.start >= date(1900, 1, 1):
        marks.pop("before_1900", None)
    if selection.end is not None and selection.end <= datetime.now(UTC).date():
        marks.pop("after_tomorrow", None)
    if marks:
        reasons = ", ".join(f"{trips:,} {_reason(mark)}" for mark, trips in marks.items())
        message = f"Suspicious trips {whose}: {reasons}. They are loaded and counted."
        notes.append(Note("suspicious", message, {"trips": sum(marks.values()), **marks}))
    return notes


def _uncounted_note(has_failed: bool, count: int, file_names: list[str]) -> Note:
    numbers = {"ingestions": count, "file_names": file_names}
    more = f" and {count - len(file_names):,} more" if count > len(file_names) else ""
    files = f"{', '.join(file_names)}{more}"
    ingestions = "1 ingestion" if count == 1 else f"{count:,} ingestions"
    have, their = ("has", "its") if count == 1 else ("have", "their")
    if has_failed:
        message = f"{ingestions} failed and {their} trips are not counted: {files}."
        return Note("ingestions_failed", message, numbers)
    message = f"{ingestions} {have} not finished: {their} trips are not counted yet ({files})."
    return Note("ingestions_under_way", message, numbers)


def _whose(selection: Selection) -> str:
    given = [name for name in (selection.region, selection.datasource) if name is not None]
    return f"of {' from '.join(given)}" if given else "in the warehouse"


def _trips(number: int) -> str:
    return "1 trip" if number == 1 else f"{number:,} trips"


def _reason(mark: str) -> str:
    return f"dated {_DATED[mark]}" if mark in _DATED else mark.replace("_", " ")
