"""Cutting files into chunks: at any size, packed or not, the same records on the same lines."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tripsmith.sources.chunks import Chunk, chunk_size, cut, cut_ahead
from tripsmith.sources.layout import inspect
from tripsmith.sources.records import split_records
from tripsmith.sources.stream import SourceError, open_stream

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"


def chunks_of(path: Path, chunk_bytes: int, encoding: str = "utf-8") -> list[Chunk]:
    layout = inspect(path, encoding)
    with open_stream(path, encoding) as stream:
        return list(cut(stream, layout, chunk_bytes))


def records_by_character(text: str) -> list[tuple[int, bytes]]:
    """Return line and bytes of each record of what follows the header: a reference that is slow and plain."""
    records, record, start, line, is_quoted = [], "", 2, 2, False
    for character in text if text.endswith("\n") else text + "\n":
        is_quoted ^= character == '"'
        line += character == "\n"
        if character == "\n" and not is_quoted:
            record = record.removesuffix("\r")
            if record:
                records.append((start, record.encode()))
            record, start = "", line
        else:
            record += character
    return records


# Whatever a quote can stand beside; the last quote is closed, as a file whose is not has no records to compare.
bodies = st.text('ab,;"\n\r\\.é', min_size=1, max_size=80).map(lambda text: text + '"' * (text.count('"') % 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(body=bodies.filter(str.strip), chunk_bytes=st.integers(1, 100), block=st.integers(1, 30), packed=st.booleans())
@example(body='a\n"b\n\n",c\r\n\nd', chunk_bytes=1, block=1, packed=False)
def test_any_size_of_chunk_gives_the_same_records(tmp_path, body, chunk_bytes, block, packed):
    path = tmp_path / "trips.csv"
    content = HEADER + body.encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    cut_up = chunks_of(path, chunk_bytes)
    found = [
        (record.line, record.raw) for chunk in cut_up for record in split_records(chunk.blocks(block), chunk.first_line)
    ]
    assert found == records_by_character(body)
    data = [b"".join(chunk.blocks(block)) for chunk in cut_up]
    assert b"".join(data) == body.encode() + b"\n" * (not body.endswith("\n"))
    for chunk, part in zip(cut_up, data, strict=True):
        assert (chunk.length, chunk.lines) == (len(part), part.count(b"\n"))
        records = records_by_character(part.decode())
        blank = sum(not line.strip(b"\r") for line in part.split(b"\n")[:-1])
        if chunk.is_one_record_a_line:
            assert len(records) + blank >= chunk.lines
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


@pytest.mark.parametrize("body", [b'a\nb\n"c\nd\n', b'a\nb\n"', b'a\n"x"\n"""\n'])
@pytest.mark.parametrize("chunk_bytes", [1, 4, 1000])
def test_a_quote_never_closed_is_told_with_its_line(tmp_path, body, chunk_bytes):
    path = tmp_path / "trips.csv"
    path.write_bytes(HEADER + body)
    with pytest.raises(SourceError, match=r"starts on line 4 is never closed"):
        chunks_of(path, chunk_bytes)


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
    endless.write_bytes(HEADER + b'a,"b\n')
    ahead = {path: cut_ahead(path, "utf-8", inspect(path)) for path in (plain, packed, endless)}
    assert ahead == {plain: chunks_of(plain, chunk_size(plain.stat().st_size)), packed: (), endless: ()}
    assert len(ahead[plain]) == 2
