"""Names of regions, data sources, files and tokens: one for all of its spellings, and none where there is no value."""

import pytest
from contents import check_sums, rejected

from tripsmith.access.tokens import TokenError, create_token, list_tokens, revoke_token
from tripsmith.answers.metrics import list_datasources, list_regions
from tripsmith.answers.selection import Selection
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.ingestion.ingestion import IngestionConflictError
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.submission import BadFileError, Options, submit
from tripsmith.names import MISSING_VALUES
from tripsmith.warehouse import migrations
from tripsmith.web.uploads.upload import label

COMPOSED, DECOMPOSED = "Z\u00fcrich", "Zu\u0308rich"
HEADER = "region,origin_coord,destination_coord,datetime,datasource\n"


def row(region: str = "Lyon", source: str = "velov", time: str = "2019-05-06 08:00:00") -> str:
    return f'"{region}",POINT (4.8 45.7),POINT (4.9 45.8),{time},"{source}"\n'


def as_csv(*rows: str) -> bytes:
    return (HEADER + "".join(rows)).encode()


@pytest.mark.both_servers
def test_composed_and_decomposed_names_are_one(warehouse, ingest):
    for name, trips in ((DECOMPOSED, 60), (COMPOSED, 100)):
        ingest(as_csv(*[row(name, f"Publibike {name}")] * trips), f"{trips}.csv")
    with warehouse.connect() as connection:
        assert [(region.name, region.trips) for region in list_regions(connection)] == [(COMPOSED, 160)]
        assert [(s.name, s.trips) for s in list_datasources(connection)] == [(f"Publibike {COMPOSED}", 160)]
        for asked in (COMPOSED, DECOMPOSED, DECOMPOSED.upper(), f" \ufeff{DECOMPOSED}\u200b"):
            assert weekly_average(connection, Selection(region=asked)).trips == 160
            assert weekly_average(connection, Selection(datasource=f"PUBLIBIKE\u00a0{asked}")).trips == 160


@pytest.mark.both_servers
def test_invisible_characters_and_odd_blanks_make_no_other_region(warehouse, ingest):
    names = [
        "\ufeffNew\u00a0York",
        "New York",
        "New \u2009 York",
        "new\u00ad york",
        "\u200eNEW YORK\u202c",
        "New\tYork ",
    ]
    ended = ingest(as_csv(*map(row, names), row("\u200b\u00a0\ufeff")))
    with warehouse.connect() as connection:
        assert [(region.name, region.trips) for region in list_regions(connection)] == [("New York", 6)]
        assert [reasons for _, _, reasons in rejected(connection, ended.id)] == [["region is missing"]]


@pytest.mark.both_servers
@pytest.mark.parametrize("load", ["few names", "many names"])
def test_values_that_stand_for_none_are_missing_in_every_column(warehouse, ingest, load):
    others = [row(f"region {number}") for number in range(30 if load == "many names" else 1)]
    tokens = [spelling for token in MISSING_VALUES for spelling in (token, token.upper(), f" {token} ")]
    ended = ingest(
        as_csv(
            *others,
            *(row(region=token) for token in tokens),
            *(row(source=token) for token in tokens),
            *(row(time=token) for token in tokens),
            *(row().replace("POINT (4.8 45.7)", token) for token in tokens),
            *(row().replace("POINT (4.9 45.8)", token) for token in tokens),
            row("NA", "na"),
        )
    )
    with warehouse.connect() as connection:
        expected = [
            [f"{column} is missing: {token.strip()} stands for no value"]
            for column in ("region", "datasource", "datetime", "origin_coord", "destination_coord")
            for token in tokens
        ]
        assert [reasons for _, _, reasons in rejected(connection, ended.id)] == expected
        assert {region.name for region in list_regions(connection)} == {row.split('"')[1] for row in others} | {"NA"}
        sums = check_sums(connection, ended.id)
        list(rebuild(warehouse, "silver"))
        assert check_sums(connection, ended.id) == sums


def test_a_name_of_the_longest_characters_is_stored(warehouse, ingest):
    # Each becomes three characters of four bytes in NFC.
    name = "".join(chr(0x1D160 + number * 7 % 5) for number in range(400))
    ended = ingest(as_csv(row(name), row(name + "x")))
    assert (ended.state, ended.rows_loaded, ended.rows_rejected) == ("succeeded", 1, 1)


@pytest.mark.parametrize("option", ["region", "datasource"])
@pytest.mark.parametrize("value", ["NULL", "\\n", " nan ", "\u200b"])
def test_an_option_that_stands_for_no_value_is_refused(warehouse, tmp_path, option, value):
    (tmp_path / "trips.csv").write_bytes(as_csv(row()))
    refused = pytest.raises(BadFileError, match=f"The {option} given is .*leave it out or name one")
    with warehouse.connect() as connection, refused:
        submit(connection, tmp_path / "trips.csv", "trips.csv", Options(**{option: value}))


def test_an_option_is_the_same_in_any_spelling(warehouse, tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(as_csv(row()).replace(b"region", b"area"))
    with warehouse.connect() as connection:
        first = submit(connection, path, path.name, Options(region=DECOMPOSED))
        again = submit(connection, path, path.name, Options(region=f"{COMPOSED.upper()}\u00a0"))
        assert (again.ingestion.id, again.is_new) == (first.ingestion.id, False)
        assert connection.execute("SELECT region FROM ops.ingestion").fetchall() == [(COMPOSED,)]
        with pytest.raises(IngestionConflictError, match="with region Z\u00fcrich, not "):
            submit(connection, path, path.name, Options(region="Bern"))


def test_a_file_is_shown_with_a_clean_name(ingest):
    assert ingest(as_csv(row()), f"{DECOMPOSED}\u200b.csv").file_name == f"{COMPOSED}.csv"
    assert label(f"C:\\{DECOMPOSED}\u00a0West\u202e.csv") == f"{COMPOSED} West.csv"


def test_tokens_are_found_in_any_composition(warehouse):
    with warehouse.connect() as connection:
        create_token(connection, f" {DECOMPOSED}\u200b ", "reader")
        assert [token.name for token in list_tokens(connection)] == [COMPOSED]
        with pytest.raises(TokenError, match="There is a token"):
            create_token(connection, COMPOSED, "reader")
        assert revoke_token(connection, DECOMPOSED).name == COMPOSED
        with pytest.raises(TokenError, match="must be text"):
            create_token(connection, "\u200b", "reader")


@pytest.mark.both_servers
def test_a_database_of_before_is_brought_to_the_new_rule(warehouse, ingest):
    """Names that were keyed as they were written; two that are now one become one when silver is rebuilt."""
    ingest(as_csv(row(COMPOSED), row(COMPOSED), row("Brno\u200b"), row("Oslo", DECOMPOSED)), "one.csv")
    ingest(as_csv(row(DECOMPOSED)), "other.csv")
    with warehouse.connect() as connection:
        connection.execute("INSERT INTO silver.region (key, name) VALUES (%s, %s)", [DECOMPOSED.casefold(), DECOMPOSED])
        connection.execute(
            """UPDATE silver.trip SET region_id = (SELECT max(id) FROM silver.region) WHERE ingestion_id = 2;
               UPDATE silver.region SET key = key || U&'\\200b', name = name || U&'\\200b' WHERE key = 'brno';
               UPDATE silver.datasource SET key = normalize(key, NFD), name = normalize(name, NFD);
               DELETE FROM ops.migration WHERE name = '0011_names.sql'"""
        )
        list(rebuild(warehouse, "gold"))
        create_token(connection, "dashboard", "reader")
        connection.execute("UPDATE ops.token SET name = %s", [DECOMPOSED])
        assert migrations.migrate(connection) == ["0011_names.sql"]
        assert [(region.name, region.trips) for region in list_regions(connection)] == [
            (COMPOSED, 2),
            ("Brno", 1),
            ("Oslo", 1),
            (DECOMPOSED, 1),
        ]
        assert {source.name for source in list_datasources(connection)} == {"velov", COMPOSED}
        assert weekly_average(connection, Selection(region="BRNO")).trips == 1
        assert [token.name for token in list_tokens(connection)] == [COMPOSED]
        list(rebuild(warehouse, "silver"))
        assert weekly_average(connection, Selection(region=DECOMPOSED)).trips == 3
        assert [(region.name, region.trips) for region in list_regions(connection)] == [
            (COMPOSED, 3),
            ("Brno", 1),
            ("Oslo", 1),
        ]
