"""The sample of an ingestion's trips, by which it is known how many of them other ingestions have too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from tripsmith.warehouse.bronze.table import SHARED
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.silver.load import piece_of

QUERIES = load_queries(__package__, "trip_sample.sql")

# A sample has half as many trips at least; of a file of no more trips it has all.
_SAMPLE_TRIPS = 2000


@dataclass(frozen=True, slots=True)
class Shared:
    """Trips of an ingestion that another has too (all others together where `ingestion_id` is 0).

    `trips` of the `sampled` trips that were compared are shared; `is_exact` tells that all of its trips were compared.
    """

    ingestion_id: int
    trips: int
    sampled: int
    is_exact: bool


def take_sample(
    connection: Connection[Any], ingestion_id: int, lot: int, chunks: Sequence[range], trips: int, suffix: str = ""
) -> None:
    """Take the sample of an ingestion that has none, with so many trips in silver.

    `chunks` are the physical lines of its chunks, `suffix` ends the names of its pieces. Runs within the caller's
    transaction.
    """
    if lot == SHARED:
        rows: sql.Composable = sql.SQL(QUERIES["trips_of_shared"]).format(ingestion_id=sql.Literal(ingestion_id))
    else:
        connection.execute(QUERIES["use_every_core"])
        piece = sql.SQL(QUERIES["trips_of_piece"])
        rows = sql.SQL(" UNION ALL ").join(piece.format(piece=piece_of(lot, lines, suffix)) for lines in chunks)
    bits = max(0, -(-trips // _SAMPLE_TRIPS) - 1).bit_length()
    statement = sql.SQL(QUERIES["sampled_hashes"]).format(trips=rows, bits=sql.Literal(bits))
    sampled = connection.execute(statement).fetchall()
    parameters = {
        "ingestion_id": ingestion_id,
        "bits": bits,
        "hashes": [hash_ for hash_, _ in sampled],
        "trips": [count for _, count in sampled],
    }
    connection.execute(QUERIES["keep_sample"], parameters)


def delete_sample(connection: Connection[Any], ingestion_id: int) -> None:
    """Delete the sample of an ingestion."""
    connection.execute(QUERIES["delete_sample"], {"ingestion_id": ingestion_id})


def shared_trips(connection: Connection[Any], ingestion_id: int) -> list[Shared]:
    """Return what an ingestion's sample shares with those of others, the sum over all others first.

    Until the caller's transaction ends, others that want to compare wait.
    """
    connection.execute(QUERIES["lock_samples"])
    rows = connection.execute(QUERIES["compare_samples"], {"ingestion_id": ingestion_id})
    return [Shared(other, trips, sampled, bits == 0) for other, bits, trips, sampled in rows]
