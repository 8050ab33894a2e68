"""Silver and gold made anew from bronze: as they were, whatever had become of them, with readers beside."""

import threading

import pytest
from contents import check_sums, gold_differences

from tripsmith.answers.selection import Selection
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.ingestion.ingestion import IngestionConflictError
from tripsmith.ingestion.ownership import claim
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.submission import remove
from tripsmith.sample.generator import write_sample
from tripsmith.sources import chunks
from tripsmith.warehouse import lot

pytestmark = pytest.mark.both_servers

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
GOOD = b"Brno,POINT (16.6 49.2),POINT (16.61 49.21),2018-05-28 09:03:40,app\n"
MALFORMED = b"Brno,POINT (16.6 49.2),too few\n"
QUOTED = b'"Brno",POINT (16.6 49.2),"POINT (16.61 49.21)","9 o""clock, say",app\n'
BAD = b"Brno,POINT (16.6 149.2),POINT (16.61 49.21),2018-05-28 09:03:40,app\n"


@pytest.fixture
def ingested(ingest, tmp_path, monkeypatch):
    """A large ingestion and two small ones, one with a semicolon and an option, all with rows that are rejected."""
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    large, small, other = tmp_path / "large.csv", tmp_path / "small.csv", tmp_path / "other.csv"
    with large.open("wb") as file:
        write_sample(file, 60_000, 3, invalid_every=97)
        file.write(MALFORMED + QUOTED)
    small.write_bytes(HEADER + GOOD * 3 + MALFORMED + QUOTED + BAD)
    other.write_bytes(HEADER.replace(b",", b";") + (GOOD + BAD).replace(b",", b";"))
    return [ingest(large), ingest(small), ingest(other, override_region="Elsewhere")]


def sums(warehouse, ingested):
    with warehouse.connect() as connection:
        return [check_sums(connection, ingestion.id) for ingestion in ingested]


@pytest.mark.parametrize("layer", ["silver", "gold"])
def test_what_was_there_is_there_again(warehouse, ingested, layer):
    before = sums(warehouse, ingested)
    with warehouse.connect() as connection:
        for table in ("gold.trip_group", "gold.region_week"):
            connection.execute(f"UPDATE {table} SET trips = trips + 1")
        if layer == "silver":
            connection.execute("UPDATE silver.trip SET origin_longitude = 0, region_id = 1 WHERE line % 3 = 0")
            connection.execute("UPDATE silver.rejected_row SET reasons = ARRAY['none']")
            # Gold of the shared lot is changed by what silver says, so it has to be right before.
            list(rebuild(warehouse, "gold"))
        else:
            assert gold_differences(connection) != {}
    assert [done.id for done in rebuild(warehouse, layer)] == [ingestion.id for ingestion in ingested]
    assert sums(warehouse, ingested) == before
    with warehouse.connect() as connection:
        left = connection.execute("SELECT count(*) FROM pg_class WHERE relname LIKE '%rebuilt'").fetchone()
    assert left == (0,)


def test_answers_go_on_from_the_old_until_the_new_is_there(warehouse, ingested):
    with warehouse.connect() as connection:
        expected = weekly_average(connection, Selection(region="Prague"))
    done, answers = threading.Event(), []

    def ask():
        with warehouse.connect() as connection:
            while not done.is_set():
                answers.append(weekly_average(connection, Selection(region="Prague")))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(3):
            list(rebuild(warehouse, "silver"))
    finally:
        done.set()
        asking.join()
    assert len(answers) > 3
    assert all(answer == expected for answer in answers)


def test_an_ingestion_that_is_gone_is_passed_over_and_one_in_other_hands_is_told(warehouse, ingested):
    rebuilding = rebuild(warehouse, "silver")
    assert next(rebuilding).id == ingested[0].id
    with warehouse.connect() as connection:
        remove(connection, ingested[1].id)
    assert [done.id for done in rebuilding] == [ingested[2].id]
    told = pytest.raises(IngestionConflictError, match=f"Ingestion {ingested[2].id} is being worked on")
    with warehouse.connect() as connection, claim(connection, int(ingested[2].id)), told:
        list(rebuild(warehouse, "silver"))
    assert len(sums(warehouse, [ingested[0], ingested[2]])) == 2


def test_beyond_so_many_pieces_a_large_file_goes_to_the_shared_lot_and_can_be_rebuilt_and_removed(
    warehouse, ingested, ingest, tmp_path, monkeypatch
):
    monkeypatch.setattr(lot, "MAX_PIECES", 6)
    path = tmp_path / "overflow.csv"
    with path.open("wb") as file:
        write_sample(file, 60_000, 4, invalid_every=97)
        file.write(MALFORMED)
    before = sums(warehouse, ingested)
    with warehouse.connect() as connection:
        pieces = count_pieces(connection)
        overflow = ingest(path)
        assert (overflow.state, overflow.rows_read, overflow.rows_rejected) == ("succeeded", 60_001, 60_000 // 97 + 1)
        assert count_pieces(connection) == pieces
        layers = check_sums(connection, overflow.id)
        assert len(list(rebuild(warehouse, "silver"))) == 4
        assert check_sums(connection, overflow.id) == layers
        remove(connection, overflow.id)
    assert sums(warehouse, ingested) == before


def count_pieces(connection):
    query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'silver'::regnamespace AND relname LIKE 'trip%'"
    return connection.execute(query).fetchone()
