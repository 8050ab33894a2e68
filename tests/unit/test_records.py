"""Records and what is wrong with them."""

import pytest

from tripsmith.sources.records import Record, count_records, faults, is_unquoted, join_lines, split_records


@pytest.mark.parametrize(
    ("data", "records"),
    [(b"", 0), (b"a\nb\n", 2), (b'"a\nb"\n', 1), (b'a"b\nc"d\n', 1), (b'"a""\n"\n', 1), (b'""\n""\n', 2), (b'"a\n', 0)],
)
def test_line_ends_in_quotes_end_no_record(data, records):
    assert count_records(data) == records


@pytest.mark.parametrize(
    ("data", "unquoted"), [(b"", True), (b"a,b\r\n", True), (b'a,"b"\n', False), (b"\\N,b\n", False), (b"a\\\n", False)]
)
def test_what_copy_reads_alike_as_csv_and_as_text(data, unquoted):
    assert is_unquoted(data) == unquoted


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_are_physical(size):
    data = b'a\n\n"b\r\n\nc"\r\n\r\nd\n'
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    assert list(split_records(blocks, 7)) == [Record(7, b"a"), Record(9, b'"b\r\n\nc"'), Record(13, b"d")]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"a,b", ""),
        (b'"a,x",b', ""),
        (b'"a\r\n",b', ""),
        (b'a"",b', ""),
        ("ä,ö".encode(), ""),
        (b"a", "has 1 columns where the header has 2"),
        (b"a,b,", "has 3 columns"),
        (b"a,b\0", "NUL byte"),
        (b'"\0",b', "NUL byte"),
        (b"a\r,b", "carriage return outside quotes"),
        (b"a,\xff", "not UTF-8 at byte 3"),
        (b"a,\xed\xa0\x80", "not UTF-8 at byte 3"),
        (b"a,\xc0\x80", "not UTF-8 at byte 3"),
    ],
)
def test_faults(raw, fault):
    found = "; ".join(faults(Record(2, raw), 2, b","))
    assert (fault in found, bool(found)) == (True, bool(fault))


def test_every_fault_is_told():
    assert len(faults(Record(2, b"a\r\0\xff"), 2, b",")) == 4


def test_records_are_joined_behind_their_lines():
    records = [Record(line, b"x;y") for line in range(2, 5003)]
    blocks = list(join_lines(records, b";"))
    assert len(blocks) > 1
    assert b"".join(blocks) == b"".join(b"%d;x;y\n" % line for line in range(2, 5003))
