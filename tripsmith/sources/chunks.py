"""A stream of CSV cut into chunks at true record ends."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tripsmith.sources.layout import Layout
from tripsmith.sources.records import QUOTE, count_records
from tripsmith.sources.stream import BLOCK_BYTES, SourceError, Stream

CHUNK_BYTES = 16 << 20
MAX_RECORD_BYTES = 16 << 20


@dataclass(frozen=True)
class Chunk:
    """Some whole records of a file. Offsets are in bytes of the unpacked UTF-8 text.

    `source_bytes` is its share of the file as it lies on disk, packed or not.
    """

    number: int
    offset: int
    first_line: int
    data: bytes
    source_bytes: int

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the chunk's bytes: it proves on resumption that the file is the same."""
        return hashlib.sha256(self.data).digest()

    @cached_property
    def lines(self) -> int:
        """How many physical lines it has."""
        return self.data.count(b"\n")

    @cached_property
    def is_one_record_a_line(self) -> bool:
        """Whether no quoted field holds a line end, so that lines can be counted by counting records."""
        return QUOTE not in self.data or count_records(self.data) == self.lines


def cut(stream: Stream, layout: Layout, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """Yield the chunks of a stream that is at its start, each of about `chunk_bytes`, always cut alike.

    Raises SourceError for a record longer than MAX_RECORD_BYTES and for a quote that is never closed.
    """
    stream.read(layout.header_bytes)
    offset, line, number = layout.header_bytes, 1 + layout.header_lines, 0
    rest, size, source_done = b"", chunk_bytes, 0
    while True:
        data, ended = _fill(stream, rest, size)
        if not data:
            return
        if ended and not data.endswith(b"\n"):
            data += b"\n"
        end = _last_record_end(data)
        if end == 0:
            if ended or len(data) > MAX_RECORD_BYTES:
                raise _endless(line, ended)
            rest, size = data, len(data) + BLOCK_BYTES
            continue
        chunk = Chunk(number, offset, line, data[:end], stream.source_bytes - source_done)
        yield chunk
        source_done += chunk.source_bytes
        offset, line, number = offset + end, line + chunk.lines, number + 1
        rest, size = data[end:], chunk_bytes


def _fill(stream: Stream, start: bytes, size: int) -> tuple[bytes, bool]:
    """Read on until there are `size` bytes; tell whether the stream has ended."""
    blocks, length = [start], len(start)
    while length < size:
        block = stream.read(min(BLOCK_BYTES, size - length))
        if not block:
            return b"".join(blocks), True
        blocks.append(block)
        length += len(block)
    return b"".join(blocks), False


def _last_record_end(data: bytes) -> int:
    """Return the length of the whole records at the start of `data`, 0 if not one is whole."""
    end = data.rfind(b"\n")
    quotes = data.count(QUOTE, 0, end + 1)
    while end >= 0 and quotes % 2:
        previous = data.rfind(b"\n", 0, end)
        quotes -= data.count(QUOTE, previous + 1, end)
        end = previous
    return end + 1


def _endless(line: int, ended: bool) -> SourceError:
    if ended:
        return SourceError(f"A quote opened in the record that starts on line {line} is never closed.")
    return SourceError(
        f"The record that starts on line {line} is longer than {MAX_RECORD_BYTES >> 20} MiB; is a quote in it never closed?"
    )
