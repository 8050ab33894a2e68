"""A region or data source given for a file that has a column of its own: refused, or replaced on request."""

import pytest
from contents import check_sums

from tripsmith.answers.metrics import trip_metrics
from tripsmith.ingestion.ingestion import IngestionConflictError
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.submission import BadFileError, Options, submit
from tripsmith.sources import chunks

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
BARE = b"origin_coord,destination_coord,datetime\nPOINT (14.4 50.1),POINT (14.5 50.0),2018-05-28 09:03:40\n"


def rows(*regions: str, source: str = "car") -> bytes:
    times = ",POINT (14.4 50.1),POINT (14.5 50.0),2018-05-28 09:03:40,"
    return HEADER + "".join(f"{region}{times}{source}\n" for region in regions).encode()


def names(warehouse) -> tuple[dict[str, int], dict[str, int]]:
    """Return the trips of each region and of each data source."""
    with warehouse.connect() as connection:
        found = trip_metrics(connection)
    return {r.name: r.trips for r in found.regions}, {s.name: s.trips for s in found.datasources}


@pytest.mark.parametrize("column", ["region", "datasource"])
@pytest.mark.parametrize(
    "content", [rows("Boston"), rows("", source=""), rows("Boston").replace(b"region", b'" REGION "')]
)
def test_an_option_beside_a_column_of_that_name_is_refused(warehouse, tmp_path, column, content):
    (tmp_path / "a.csv").write_bytes(content)
    with warehouse.connect() as connection:
        with pytest.raises(BadFileError) as refusal:
            submit(connection, tmp_path / "a.csv", "a.csv", Options(**{column: "San Francisco"}))
        assert connection.execute("SELECT count(*) FROM ops.ingestion").fetchone() == (0,)
    assert refusal.value.parameter == column
    assert str(refusal.value) == (
        f"The file has a column {column} of its own; leave {column} out, or give override_{column} to replace it in"
        " every row."
    )


@pytest.mark.parametrize("column", ["region", "datasource"])
def test_an_override_of_a_column_that_is_not_there_is_refused(warehouse, tmp_path, column):
    (tmp_path / "a.csv").write_bytes(BARE)
    other = {"region": "datasource", "datasource": "region"}[column]
    with warehouse.connect() as connection, pytest.raises(BadFileError) as refusal:
        submit(connection, tmp_path / "a.csv", "a.csv", Options(**{f"override_{column}": "X", other: "Y"}))
    assert str(refusal.value) == f"The file has no column {column} to override; give {column} instead."
    assert refusal.value.parameter == f"override_{column}"


@pytest.mark.parametrize("value", [" ", "x" * 401, "a\0b"])
def test_an_override_that_is_no_name_is_refused(warehouse, tmp_path, value):
    (tmp_path / "a.csv").write_bytes(rows("Boston"))
    with warehouse.connect() as connection, pytest.raises(BadFileError, match="The override_region given") as refusal:
        submit(connection, tmp_path / "a.csv", "a.csv", Options(override_region=value))
    assert refusal.value.parameter == "override_region"


@pytest.mark.both_servers
@pytest.mark.parametrize("is_large", [False, True])
def test_an_override_replaces_every_row_says_how_many_it_changed_and_outlives_a_rebuild(
    warehouse, ingest, monkeypatch, is_large
):
    times = 1
    if is_large:
        monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 16)
        times = 600
    ended = ingest(
        rows(*["Boston", "san  FRANCISCO", "", "San Francisco", "Turin"] * times), override_region="San Francisco"
    )
    assert (ended.state, ended.rows_loaded) == ("succeeded", 5 * times)
    assert ended.notes == [
        {
            "code": "override_region",
            "message": f"The region of {3 * times:,} rows was replaced by San Francisco, as override_region asks.",
            "rows": 3 * times,
            "name": "San Francisco",
        }
    ]
    expected = {"San Francisco": 5 * times}, {"car": 5 * times}
    assert names(warehouse) == expected
    assert [done.notes for done in rebuild(warehouse, "silver")] == [ended.notes]
    assert names(warehouse) == expected
    with warehouse.connect() as connection:
        check_sums(connection, ended.id)
        table, column = connection.execute("SELECT table_name, column_names[1] FROM ops.header").fetchone()
        kept = connection.execute(f"SELECT count(DISTINCT {column}) FROM bronze.{table}").fetchone()
    assert kept == (5,)


def test_both_columns_can_be_replaced_and_an_option_stands_beside_an_override(warehouse, ingest):
    ended = ingest(rows("Boston"), override_region="Turin", override_datasource="bus")
    assert [(note["code"], note["rows"]) for note in ended.notes] == [
        ("override_region", 1),
        ("override_datasource", 1),
    ]
    without_source = rows("Boston", "Boston").replace(b",datasource", b"").replace(b",car", b"")
    ingest(without_source, "b.csv", override_region="Brno", datasource="tram")
    assert names(warehouse) == ({"Turin": 1, "Brno": 2}, {"bus": 1, "tram": 2})


def test_an_override_is_an_option_that_content_is_known_with(warehouse, ingest):
    first = ingest(rows("Boston"), override_region="Turin")
    assert ingest(rows("Boston"), override_region="Turin") == first
    with pytest.raises(IngestionConflictError, match="already, with override_region Turin; remove"):
        ingest(rows("Boston"))
    with pytest.raises(IngestionConflictError, match="already, with override_region Turin, not Brno; remove"):
        ingest(rows("Boston"), override_region="Brno")
