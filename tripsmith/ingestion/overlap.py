"""Overlap: how many of an ingestion's rows others have too, noted or refused."""

from typing import Any

from psycopg import Connection

from tripsmith.ingestion.ingestion import get_ingestion
from tripsmith.ingestion.notes import add_note
from tripsmith.note import Note
from tripsmith.warehouse.silver.trip_sample import Shared, shared_trips

# What most rows are; a growing export and a month within a year share nearly all.
_MOST = 0.5
# Fewer sampled trips than these prove nothing.
_SAMPLED_MIN = 16
_INGESTIONS_SHOWN = 5


class OverlapError(Exception):
    """Most rows of a file are in the warehouse already, and it was to be refused then."""


def settle_overlap(connection: Connection[Any], ingestion_id: int, trips: int, *, is_refused: bool) -> None:
    """Note on an ingestion with so many trips that most of them are in others too, within the caller's transaction.

    Raises OverlapError instead where that is to be refused.
    """
    found = [s for s in shared_trips(connection, ingestion_id) if s.is_exact or s.sampled >= _SAMPLED_MIN]
    most = [shared for shared in found if shared.trips > _MOST * shared.sampled]
    if most:
        singles = [shared for shared in most if shared.ingestion_id]
        # Where no one ingestion has most of them, all those that have some are named, the fullest first.
        best = max(singles or most, key=lambda shared: shared.trips / shared.sampled)
        others = [best] if singles else [shared for shared in found if shared.ingestion_id]
        others.sort(key=lambda shared: shared.trips / shared.sampled, reverse=True)
        note = _note(connection, best, others, trips)
        if is_refused:
            ids = [str(shared.ingestion_id) for shared in others[:_INGESTIONS_SHOWN]]
            raise OverlapError(
                f"{note.message} To have this file instead, remove {_named(ids, len(others))} first, then retry; to"
                " have both, send it without refusing overlap."
            )
        add_note(connection, ingestion_id, note)


def _note(connection: Connection[Any], best: Shared, others: list[Shared], trips: int) -> Note:
    share = best.trips / best.sampled
    rows = best.trips if best.is_exact else round(share * trips)
    shown = [get_ingestion(connection, shared.ingestion_id) for shared in others[:_INGESTIONS_SHOWN]]
    names = [f"{ingestion.id} ({ingestion.file_name})" for ingestion in shown]
    if best.is_exact:
        many, how = f"{_percent(share)} % of its rows ({rows:,} of {trips:,})", ""
    else:
        many = f"Nearly all of its {trips:,} rows" if share == 1 else f"About {_percent(share)} % of its {trips:,} rows"
        how = f", going by a sample of {best.sampled:,}"
    message = f"{many} are also in {_named(names, len(others))}{how}."
    numbers = {"rows": rows, "share": round(share, 4), "is_exact": best.is_exact, "ingestion": shown[0].id}
    return Note("overlap", message, numbers if len(others) == 1 else {**numbers, "ingestions": [i.id for i in shown]})


def _percent(share: float) -> int:
    """Return a share in hundredths, 100 only where it is whole."""
    return 100 if share == 1 else min(99, round(100 * share))


def _named(names: list[str], count: int) -> str:
    more = [f"{count - len(names):,} more"] if count > len(names) else []
    *first, last = names + more
    return f"ingestions {', '.join(first)} and {last}" if first else f"ingestion {last}"
