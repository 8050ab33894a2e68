"""Records: where each starts and stops, what its quotes mean, and what is wrong with it."""

import csv

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripsmith.sources.line_quotes import respell
from tripsmith.sources.quotes import MARK, Dialect, Quotes, fields, record_at
from tripsmith.sources.records import Record, fit, is_plain, join_lines, marked, split_records
from tripsmith.sources.scan import Scan, scan

TWO = Dialect(b",", 2)


def split(data: bytes, size: int = 1 << 20, columns: int = 2) -> list[Record]:
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    return list(split_records(blocks, 2, Dialect(b",", columns)))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_are_physical(size):
    data = b'a\n\n"b\r\n\nc"\r\n\r\nd\n'
    assert split(data, size) == [Record(2, b"a"), Record(4, b'"b\r\n\nc"'), Record(8, b"d")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("data", "faulty"),
    [
        (b'a,b\nx,27" wide\nc,d\ny,12" high\n', []),
        (b'a,b\n"x,y\nc,d\n', [b'"x,y']),
        (b'a,b\n"x,y\nc,d\n"e",f\n', [b'"x,y']),
        (b'"x,y\n"x,y\n"x,y\n', [b'"x,y', b'"x,y', b'"x,y']),
        (b'a,"\nc,d\ne,"f"\n', [b'a,"']),
        (b'a,"b\nc,d\ne,27",x\n', [b'a,"b']),
        (b'a,"line\nline",c\ne,f\n', []),
        (b'"a\nb","c\nd,e\n', [b'"a\nb","c']),
        (b'a,"b\nc" \nd,e\n', []),
    ],
)
def test_a_quote_never_closed_costs_its_own_line(data, faulty, size):
    records = split(data, size)
    assert [record.raw for record in records if record.is_faulty] == faulty
    assert b"".join(record.raw + b"\n" for record in records) == data


def test_lines_within_a_record_that_are_records_are_counted():
    assert split(b'a,"b\nc,d\ne,f"\ng,h\n') == [Record(2, b'a,"b\nc,d\ne,f"', swallows=1), Record(5, b"g,h")]


def test_the_end_of_a_line_is_looked_for_once_however_many_quotes_it_has():
    class Counted(bytes):
        newlines_sought = 0

        def find(self, sought, *places):
            Counted.newlines_sought += sought == b"\n"
            return super().find(sought, *places)

    data = Counted(b'x"' * 1000 + b"\n")
    span = record_at(data, 0, Dialect(b",", 1), is_final=True)
    assert (span.stop, span.is_faulty) == (len(data), False)
    assert Counted.newlines_sought <= 2


def test_a_field_that_is_not_closed_within_16_mebibytes_is_not_closed():
    data = b'a,"b\n' + b"c,d\n" * (5 << 20) + b'e,f"\n'
    records = split_records([data], 2, TWO)
    assert next(records) == Record(2, b'a,"b', is_faulty=True)
    assert sum(1 for _ in records) == (5 << 20) + 1


text = st.text('ab,"\n\r\\é \x00\x01', max_size=60).map(lambda body: (body + "\n").encode())


@given(data=text, columns=st.integers(1, 4), size=st.integers(1, 40))
@example(data=b'"a\nb"c,d\n', columns=2, size=3)
@example(data=b'a,"b\nc,d"\n', columns=2, size=1)
@example(data=b'a,"b\nc,d","e\n"f,g\n', columns=2, size=1)
def test_each_record_is_what_python_reads_in_its_lines(data, columns, size):
    records = split(data, size, columns)
    assert records == split(data, columns=columns)
    lines = data.decode("latin-1").split("\n")[:-1]
    covered = 2
    for record in records:
        assert not "".join(lines[covered - 2 : record.line - 2]).strip("\r")
        covered = record.line + record.raw.count(b"\n") + 1
        own = [line + "\n" for line in lines[record.line - 2 : covered - 2]]
        if record.is_faulty:
            assert _is_never_closed(lines[record.line - 2 :], len(own), columns)
            continue
        reader = csv.reader(own)
        try:
            row = next(reader)
        except csv.Error:
            assert fit(record, Dialect(b",", columns)).reasons
        else:
            assert reader.line_num == len(own)
            if not record.raw.endswith(b"\r"):
                assert [field.decode("latin-1") for field in fields(record.raw, b",")] == row
    assert not "".join(lines[covered - 2 :]).strip("\r")


def _is_never_closed(lines: list[str], own: int, columns: int) -> bool:
    """Whether Python, too, finds no proper end to the record of these lines, or a wrong one beyond its own."""
    text = [line + "\n" for line in lines]
    try:
        strict = csv.reader(text, strict=True)
        row = next(strict)
    except csv.Error:
        return True
    return strict.line_num > own and len(row) != columns


@given(data=text, columns=st.integers(1, 4))
def test_what_is_scanned_is_what_is_split(data, columns):
    dialect = Dialect(b",", columns)
    found = scan(data, dialect, is_final=True)
    assert found.length == len(data)
    records = split(data, columns=columns)
    spans = any(b"\n" in record.raw or record.is_faulty for record in records)
    assert found.is_one_record_a_line != spans
    if found.is_one_record_a_line and MARK not in data:
        expected = [fields(line, b",") for line in data.split(b"\n") if b"\r" not in line]
        spelt = respell(data, b",").split(b"\n")
        again = [
            _fields_by_mark(line) for line, before in zip(spelt, data.split(b"\n"), strict=True) if b"\r" not in before
        ]
        assert again == expected


def _fields_by_mark(line: bytes) -> list[bytes]:
    reader = csv.reader([line.decode("latin-1")], quotechar="\x01")
    return [field.encode("latin-1") for field in next(reader, [])]


@given(data=text, size=st.integers(1, 9))
def test_part_of_a_file_is_cut_where_a_record_of_the_whole_starts(data, size):
    found = scan(data[:size], TWO, is_final=False)
    starts, place = {0, len(data)}, 0
    for record in split(data):
        place = data.find(record.raw, place)
        starts.add(place)
        place += len(record.raw)
    ends = {start for start in range(len(data) + 1) if start in starts or not data[start:].split(b"\n")[0].strip(b"\r")}
    assert found.length in ends


@pytest.mark.parametrize(
    ("data", "quotes"),
    [
        (b"a,b\n", Quotes.NONE),
        (b'"a",b\n"c ""d""",""\r\n', Quotes.STANDARD),
        (b'a",b\nc,d"e"\n', Quotes.LITERAL),
        (b'"a",27"\n', Quotes.MIXED),
        (b'"a"b,c\n', Quotes.MIXED),
        (b'"a"\rb,c\n', Quotes.MIXED),
    ],
)
def test_the_fast_way_is_taken_for_every_file_of_one_record_a_line(data, quotes):
    assert scan(data, TWO, is_final=True) == Scan(len(data), quotes, is_one_record_a_line=True)


def test_blocks_are_respelt_whatever_their_size():
    data = b'"a",27" wide\n"b ""c""",d"\n"e"f,"g"\n' * 3
    expected = b'\x01a\x01,27" wide\n\x01b "c"\x01,d"\n\x01e\x01f,\x01g\x01\n' * 3
    for size in range(1, 40):
        blocks = (data[start : start + size] for start in range(0, len(data), size))
        assert b"".join(marked(blocks, b",")) == expected


@pytest.mark.parametrize(("data", "plain"), [(b"a,b\r\n", True), (b"\\N,b\n", False), (b"a\\\n", False)])
def test_what_copy_reads_alike_as_csv_and_as_text(data, plain):
    assert is_plain(data) == plain


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"a,b", ""),
        (b'"a,x",b', ""),
        (b'"a\r\n",b', ""),
        (b'a"",b', ""),
        (b"a,b,,", ""),
        (b'a,b,"",', ""),
        ("ä,ö".encode(), ""),
        (b"a", "has 1 column where the header has 2"),
        (b"a,b,c", "has 3 columns"),
        (b"a,b, ", "has 3 columns"),
        (b"a,b\0", "NUL byte"),
        (b'"\0",b', "NUL byte"),
        (b"a\r,b", "carriage return outside quotes"),
        (b"a,b\r", "carriage return outside quotes"),
        (b"a,\xff", "not UTF-8 at byte 3"),
        (b"a,\xed\xa0\x80", "not UTF-8 at byte 3"),
        (b"a,\xc0\x80", "not UTF-8 at byte 3"),
    ],
)
def test_why_a_record_does_not_fit(raw, fault):
    found = "; ".join(fit(Record(2, raw), TWO).reasons)
    assert (fault in found, bool(found)) == (True, bool(fault))


def test_a_record_has_every_fault_that_it_has():
    assert len(fit(Record(2, b"a\r\0\xff"), TWO).reasons) == 3
    assert fit(Record(2, b'"a', is_faulty=True), TWO).reasons == ["has a quote that opens a field and is never closed"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"a,b", b"a,b"), (b"a,b,,", b"a,b"), (b'a,27"', b'"a","27"""'), (b'"a"b,c,""', b'"ab","c"')],
)
def test_a_record_that_fits_is_spelt_for_copy(raw, text):
    assert fit(Record(2, raw), TWO).text == text


def test_records_are_joined_behind_their_lines():
    blocks = list(join_lines(((line, b"x;y") for line in range(2, 5003)), b";"))
    assert len(blocks) > 1
    assert b"".join(blocks) == b"".join(b"%d;x;y\n" % line for line in range(2, 5003))
