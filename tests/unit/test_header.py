"""Layouts: delimiter, header and format; and the names that bronze gives the columns."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripsmith.sources.header import inspect
from tripsmith.sources.stream import SourceError
from tripsmith.warehouse.bronze.table import column_names

NAMES = ("region", "origin_coord", "destination_coord", "datetime", "datasource")


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_delimiters_line_ends_and_marks_are_found_out(tmp_path, delimiter, end, mark):
    header = delimiter.join(name.encode() for name in NAMES) + end
    path = tmp_path / "trips.csv"
    path.write_bytes(mark + header + b"x" + end)
    layout = inspect(path)
    assert (layout.delimiter, layout.columns, layout.format.name) == (delimiter, NAMES, "trips")
    assert (layout.header_bytes, layout.header_lines) == (len(header), 1)


def test_columns_may_stand_anywhere_among_others(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(b'note;"DateTime"; datasource ;x;region;destination_coord;origin_coord;Region\n1\n')
    layout = inspect(path)
    assert layout.format.positions(layout.columns) == {
        "region": 4, "origin_coord": 6, "destination_coord": 5, "datetime": 1, "datasource": 2
    }  # fmt: skip


def test_what_options_give_may_be_missing(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(b"origin_coord,destination_coord,datetime\n1\n")
    assert inspect(path, given=frozenset({"region", "datasource"})).columns == NAMES[1:4]
    with pytest.raises(SourceError, match="lacks region; the format trips needs it or give it as an option"):
        inspect(path, given=frozenset({"datasource"}))


@pytest.mark.parametrize(
    ("header", "columns", "lines"),
    [
        (b"sep=;\nregion;origin_coord;destination_coord;datetime;datasource\n", NAMES, 2),
        (b'"sep=|"\r\nregion|origin_coord|destination_coord|datetime|datasource\r\n', NAMES, 2),
        (b"\n \r\nregion,origin_coord,destination_coord,datetime,datasource\n", NAMES, 3),
        (
            b'region,origin_coord,destination_coord,datetime,datasource,"duration\n(seconds)"\n',
            (*NAMES, "duration\n(seconds)"),
            2,
        ),
        (
            b'"region", "origin_coord", "destination_coord","datetime", "datasource"\n',
            ("region", ' "origin_coord"', ' "destination_coord"', "datetime", ' "datasource"'),
            1,
        ),
        (b'region,origin_coord,destination_coord,datetime,datasource,27" rack\n', (*NAMES, '27" rack'), 1),
    ],
)
def test_headers_are_read_as_rows_are(tmp_path, header, columns, lines):
    path = tmp_path / "trips.csv"
    path.write_bytes(header + b"x\n")
    layout = inspect(path)
    assert (layout.columns, layout.header_bytes, layout.header_lines) == (columns, len(header), lines)


def test_the_first_line_is_shown_as_it_is(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(b"Start;End;When\n1;2;3\n")
    with pytest.raises(SourceError) as refusal:
        inspect(path)
    assert str(refusal.value) == (
        "The first line is not the header of a known format: 'Start;End;When' (delimiters tried: comma, semicolon, tab,"
        " vertical bar). It must be such as region,origin_coord,destination_coord,datetime,datasource."
    )


@given(
    st.lists(st.one_of(st.text(max_size=70), st.sampled_from(["ctid", "ctid_", "_line", "xmin", "a", "a_2", "ä" * 40])))
)
@example(["0", "0\x00"])
def test_column_names_fit_postgresql_whatever_the_header(header):
    names = column_names(header)
    assert len(names) == len(set(names)) == len(header)
    assert all(0 < len(name.encode()) <= 63 and "\0" not in name for name in names)
    assert not set(names) & {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "_line", "_lot", "_ingestion_id"}


def test_column_names_stay_as_they_are_where_they_can():
    assert column_names(["region", "Origin Coord", 'a"b', "ctid", "", "a", "a", "a_2", "a"]) == [
        "region", "Origin Coord", 'a"b', "ctid_", "column_5", "a", "a_2", "a_2_2", "a_3"
    ]  # fmt: skip
