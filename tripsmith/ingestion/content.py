"""Known content: what a file holds, and which ingestions have that already, whatever it is packed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from tripsmith.ingestion.ingestion import IngestionConflictError, State
from tripsmith.note import Note
from tripsmith.sources.stream import Member, SourceError, Survey, is_packed_file, survey
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.ingestion", "content.sql")

MEMBER_NOTES = ("duplicate_member", "known_member", "skipped_member")

# Notes go out with every event.
_NAMES_SHOWN, _NAMES_KEPT = 5, 20


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: `sha256` is that of its bytes. `is_recalled` tells that it was not unpacked to know."""

    sha256: bytes
    found: Survey
    is_recalled: bool = False

    @property
    def members(self) -> tuple[Member, ...]:
        """The CSVs with rows, in their order."""
        return self.found.members

    @property
    def digests(self) -> list[bytes]:
        """What identifies the content: the SHA-256 of each member, once."""
        return list(dict.fromkeys(member.sha256 for member in self.members))


@dataclass(frozen=True, slots=True)
class Holder:
    """An ingestion that has some content. `options` are its format, encoding, region, data source and overrides."""

    id: int
    state: State
    rows_loaded: int
    file_name: str
    source_path: str
    owns_source: bool
    options: list[str | None]

    @property
    def is_dead(self) -> bool:
        """Whether it ended before its rows were in the warehouse."""
        return self.state in ("failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Split:
    """Which members are to be loaded, which are copies of these, and which are known, by whom."""

    loaded: tuple[Member, ...]
    copies: tuple[tuple[Member, Member], ...]
    known: tuple[tuple[Member, Holder], ...]


def content_of(
    connection: Connection[Any], path: Path, encoding: str, sha256: bytes, *, may_recall: bool = True
) -> Content:
    """Return what a file with this SHA-256 holds; a packed one that came before need not be unpacked to know.

    Raises SourceError where it cannot be unpacked to its end, and where it has no rows.
    """
    if not is_packed_file(path):
        # Its own only member.
        return Content(sha256, Survey((Member(0, "", sha256),)))
    if may_recall:
        rows = connection.execute(QUERIES["recall_members"], {"sha256": sha256, "encoding": encoding}).fetchall()
        if rows:
            return Content(sha256, Survey(tuple(Member(*row) for row in rows)), is_recalled=True)
    found = survey(path, encoding)
    if not found.members:
        raise SourceError("The file has a header and no rows.")
    return Content(sha256, found)


def lock_content(connection: Connection[Any], digests: Sequence[bytes]) -> None:
    """Keep others from queueing or retrying the same content until the caller's transaction ends."""
    connection.execute(QUERIES["lock_content"], {"digests": digests})


def lock_own_content(connection: Connection[Any], ingestion_id: int) -> None:
    """Keep others from queueing or retrying the content of an ingestion until the caller's transaction ends."""
    rows = connection.execute(QUERIES["list_loaded"], {"id": ingestion_id}).fetchall()
    lock_content(connection, [sha256 for sha256, *_ in rows])


def holders(connection: Connection[Any], content: Content) -> dict[bytes, Holder]:
    """Return who has which members, by their SHA-256."""
    rows = connection.execute(QUERIES["find_holders"], {"digests": content.digests})
    return {sha256: Holder(*holder) for sha256, *holder in rows}


def split(content: Content, held: dict[bytes, Holder]) -> Split:
    """Tell members that are to be loaded from those that need not."""
    loaded: dict[bytes, Member] = {}
    copies, known = [], []
    for member in content.members:
        holder = held.get(member.sha256)
        if member.sha256 in loaded:
            copies.append((member, loaded[member.sha256]))
        elif holder is not None and not holder.is_dead:
            known.append((member, holder))
        else:
            loaded[member.sha256] = member
    return Split(tuple(loaded.values()), tuple(copies), tuple(known))


def begun(connection: Connection[Any], parts: Split, held: dict[bytes, Holder]) -> Holder | None:
    """Return the ingestion that failed or was cancelled with just what is to be loaded now, if there is one."""
    dead = {held[m.sha256].id: held[m.sha256] for m in parts.loaded if m.sha256 in held}
    if len(dead) != 1:
        return None
    (holder,) = dead.values()
    rows = connection.execute(QUERIES["list_loaded"], {"id": holder.id}).fetchall()
    has_all = all(holds for _, holds, _ in rows)
    return holder if has_all and [row[0] for row in rows] == [member.sha256 for member in parts.loaded] else None


def check_still_held(connection: Connection[Any], ingestion_id: int) -> None:
    """Keep others from the content of an ingestion that is to go on, until the caller's transaction ends.

    Raises IngestionConflictError where another one has it by now.
    """
    lock_own_content(connection, ingestion_id)
    rows = connection.execute(QUERIES["list_loaded"], {"id": ingestion_id}).fetchall()
    lost = [(sha256, name) for sha256, holds, name in rows if not holds]
    if not lost:
        return
    found = connection.execute(QUERIES["find_holders"], {"digests": [lost[0][0]]}).fetchone()
    has_it = f"is in ingestion {found[1]} by now" if found else "has been in another ingestion since"
    raise IngestionConflictError(
        f"{lost[0][1] or 'The content'} of ingestion {ingestion_id} {has_it}; remove ingestion {ingestion_id}, then"
        " send its file again for whatever is still missing."
    )


def rows_of_members(content: Content, parts: Split) -> dict[str, list[Any]]:
    """Return the query parameters that describe members, with the line that each one starts on once loaded."""
    loaded = {member.number for member in parts.loaded}
    first_lines: list[int | None] = []
    line = 1
    for member in content.members:
        first_lines.append(line if member.number in loaded else None)
        if member.number in loaded:
            line += member.lines or 0
    return {
        "numbers": [member.number for member in content.members],
        "names": [member.name for member in content.members],
        "all_digests": [member.sha256 for member in content.members],
        "lines": [member.lines for member in content.members],
        "first_lines": first_lines,
    }


def member_notes(content: Content, parts: Split) -> list[Note]:
    """Return what is to be said of members that are not loaded."""
    copies = [(member.name, f"{member.name} is a copy of {of.name}") for member, of in parts.copies]
    known = [
        (member.name, f"{member.name} is in ingestion {holder.id} ({holder.file_name})")
        for member, holder in parts.known
    ]
    skipped = [(name, name) for name in content.found.skipped]
    ingestions = sorted({holder.id for _, holder in parts.known})[:_NAMES_KEPT]
    return [
        *_note("duplicate_member", "Left out, as the archive has it twice", copies),
        *_note(
            "known_member", "Left out, as the warehouse has it already", known, ingestions=list(map(str, ingestions))
        ),
        *_note("skipped_member", "Left out, as it is hidden, has no rows or is of a kind that is not read", skipped),
    ]


def _note(code: str, why: str, members: Sequence[tuple[str, str]], **numbers: Any) -> list[Note]:
    if not members:
        return []
    more = len(members) - _NAMES_SHOWN
    listed = ", ".join(words for _, words in members[:_NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
    names = [name for name, _ in members[:_NAMES_KEPT]]
    return [Note(code, f"{why}: {listed}.", {"count": len(members), "members": names, **numbers})]
