"""Cutting files into chunks: at any size, packed or not, the same records on the same lines."""

import gzip
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tripsmith.sources import chunks
from tripsmith.sources.chunks import Chunk, chunk_size, cut, cut_ahead
from tripsmith.sources.header import inspect
from tripsmith.sources.quotes import Dialect
from tripsmith.sources.records import split_records
from tripsmith.sources.stream import SourceError, open_stream

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"


def chunks_of(path: Path, chunk_bytes: int, encoding: str = "utf-8") -> list[Chunk]:
    layout = inspect(path, encoding)
    with open_stream(path, encoding) as stream:
        return list(cut(stream, layout, chunk_bytes))


# Whatever a quote can be next to, closed or not.
bodies = st.text('ab,;"\n\r\\.é', min_size=1, max_size=80)
FIVE = Dialect(b",", 5)


def records_of(data: bytes) -> list[tuple[int, bytes, bool]]:
    """Return line, bytes and whether a quote is never closed of the records of a whole file, header left out."""
    return [(record.line, record.raw, record.is_faulty) for record in split_records([data], 2, FIVE)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(body=bodies.filter(str.strip), chunk_bytes=st.integers(1, 100), block=st.integers(1, 30), packed=st.booleans())
@example(body='a\n"b\n\n",c\r\n\nd', chunk_bytes=1, block=1, packed=False)
def test_any_size_of_chunk_gives_the_same_records(tmp_path, body, chunk_bytes, block, packed):
    path = tmp_path / "trips.csv"
    content = HEADER + body.encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    cut_up = chunks_of(path, chunk_bytes)
    found = [
        (record.line, record.raw, record.is_faulty)
        for chunk in cut_up
        for record in split_records(chunk.blocks(block), chunk.first_line, FIVE)
    ]
    assert found == records_of(body.encode() + b"\n" * (not body.endswith("\n")))
    data = [b"".join(chunk.blocks(block)) for chunk in cut_up]
    assert b"".join(data) == body.encode() + b"\n" * (not body.endswith("\n"))
    for chunk, part in zip(cut_up, data, strict=True):
        assert (chunk.length, chunk.lines) == (len(part), part.count(b"\n"))
        if chunk.is_one_record_a_line:
            assert not any(b"\n" in raw or is_faulty for _, raw, is_faulty in records_of(part))
        chunk.discard()
    assert [chunk.number for chunk in cut_up] == list(range(len(cut_up)))
    assert sorted(tmp_path.iterdir()) == [path]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=bodies.filter(str.strip), chunk_bytes=st.integers(1, 100))
def test_an_encoding_makes_no_difference(tmp_path, body, chunk_bytes):
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv"
    plain.write_bytes(HEADER + body.encode())
    other.write_bytes((HEADER.decode() + body).encode("utf-16"))
    expected = [(chunk.first_line, chunk.offset, chunk.length) for chunk in chunks_of(plain, chunk_bytes)]
    found = chunks_of(other, chunk_bytes, "utf-16")
    assert [(chunk.first_line, chunk.offset, chunk.length) for chunk in found] == expected
    for chunk in found:
        chunk.discard()


def test_a_mark_shifts_no_byte(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER + b"a\nb\nc")
    assert [b"".join(chunk.blocks()) for chunk in chunks_of(path, 1)] == [b"a\n", b"b\n", b"c\n"]


def test_the_chunks_share_out_the_whole_file(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(gzip.compress(HEADER + b"some,row\n" * 1000))
    cut_up = chunks_of(path, 1000)
    assert len(cut_up) > 3
    assert sum(chunk.source_bytes for chunk in cut_up) == path.stat().st_size


@pytest.mark.parametrize("body", [b'a\nb\n"c\nd\n', b'a\nb\n"', b'a\n"x"\n"""\ne\n'])
@pytest.mark.parametrize("chunk_bytes", [1, 4, 1000])
def test_a_quote_never_closed_costs_its_line_alone(tmp_path, body, chunk_bytes):
    path = tmp_path / "trips.csv"
    path.write_bytes(HEADER + body)
    records = [
        record
        for chunk in chunks_of(path, chunk_bytes)
        for record in split_records(chunk.blocks(), chunk.first_line, FIVE)
    ]
    assert [record.line for record in records if record.is_faulty] == [4]
    assert len(records) == len(body.split())


def test_memory_for_a_record_of_quotes_is_bounded(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(HEADER + b'"' * (15 << 20) + b"\n" + b"a,b,c,d,e\n")
    (chunk,) = chunks_of(path, 64 << 20)
    assert [len(record.raw) for record in split_records(chunk.blocks(), 2, FIVE)] == [15 << 20, 9]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    members=st.lists(bodies.filter(str.strip), min_size=1, max_size=4),
    chunk_bytes=st.integers(1, 300),
    block=st.integers(1, 30),
)
@example(members=['"a\n', 'b"\n'], chunk_bytes=300, block=30)
@example(members=['a\n"b\nc\n', "d\n", 'e"\n'], chunk_bytes=300, block=30)
def test_no_record_goes_on_in_the_next_member(tmp_path, members, chunk_bytes, block):
    path = tmp_path / "trips.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, body in enumerate(members):
            archive.writestr(f"{number}.csv", HEADER + body.encode())
    expected, line = [], 2
    for body in members:
        data = body.encode() + b"\n" * (not body.endswith("\n"))
        expected += [(line + own - 2, raw, is_faulty) for own, raw, is_faulty in records_of(data)]
        line += data.count(b"\n") + 1
    found = []
    for chunk in chunks_of(path, chunk_bytes):
        records = [
            (record.line, record.raw, record.is_faulty)
            for first_line, blocks in chunk.members(block)
            for record in split_records(blocks, first_line, FIVE)
        ]
        if chunk.is_one_record_a_line:
            assert not any(b"\n" in raw or is_faulty for _, raw, is_faulty in records)
        found += records
        chunk.discard()
    assert found == expected


def test_a_record_whose_last_line_does_not_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "MAX_RECORD_BYTES", 1 << 20)
    path = tmp_path / "trips.csv"
    path.write_bytes(HEADER + b'a,b,c,d,"e\n"' + b" " * (8 << 20))
    with pytest.raises(SourceError, match="The record on line 2 goes on for more than 2 MiB"):
        chunks_of(path, 1 << 20)


@pytest.mark.parametrize("rewritten", [HEADER, HEADER + b"some,ROW\n" * 10, HEADER + b"some,row\n" * 11])
def test_a_file_that_is_written_to_while_it_is_read_is_told(tmp_path, rewritten):
    path = tmp_path / "trips.csv"
    path.write_bytes(HEADER + b"some,row\n" * 10)
    os.utime(path, (0, 0))
    (chunk,) = chunks_of(path, 1000)
    path.write_bytes(rewritten)
    with pytest.raises(SourceError, match="has changed while it was read"):
        list(chunk.blocks())


def test_a_packed_file_that_is_written_to_while_it_is_read_is_told(tmp_path):
    path = tmp_path / "trips.csv.gz"
    path.write_bytes(gzip.compress(HEADER + b"some,row\n" * 10))
    os.utime(path, (0, 0))
    layout = inspect(path, "utf-8")
    with open_stream(path) as stream:
        os.utime(path)
        with pytest.raises(SourceError, match="has changed while it was read"):
            list(cut(stream, layout, 1000))
    assert list(tmp_path.iterdir()) == [path]


def test_cutting_ahead_gives_the_chunks_of_a_plain_file_that_can_be_cut(tmp_path):
    plain, packed, endless = tmp_path / "plain.csv", tmp_path / "packed.csv.gz", tmp_path / "endless.csv"
    plain.write_bytes(HEADER + b"a,b,c,d,e\n" * 2_000_000)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    endless.write_bytes(HEADER + b"x" * (17 << 20))
    ahead = {path: cut_ahead(path, "utf-8", inspect(path)) for path in (plain, packed, endless)}
    assert ahead == {plain: chunks_of(plain, chunk_size(plain.stat().st_size)), packed: (), endless: ()}
    assert len(ahead[plain]) == 2
