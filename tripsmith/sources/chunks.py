"""A stream of CSV cut into chunks at true record ends."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tripsmith.sources.header import Layout
from tripsmith.sources.quotes import MARK, MAX_RECORD_BYTES, QUOTE, Quotes
from tripsmith.sources.records import is_plain
from tripsmith.sources.scan import scan
from tripsmith.sources.stream import BLOCK_BYTES, SourceError, Stamp, Stream, open_stream, stamp

MIN_CHUNK_BYTES = 16 << 20
MAX_CHUNK_BYTES = 128 << 20
# Enough chunks to keep several connections busy to the end, few enough that committing them costs little.
_CHUNKS_A_FILE = 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole records of a file, read from disk whenever they are asked for.

    `offset` and `length` are in bytes of the unpacked UTF-8 text, which lies at `start` of the file `path`: the source
    itself, or, where that is packed, a `copy` without a name of its own, gone when it is closed. `source_bytes` is its
    share of the source as it lies on disk. `stamp` is that of `path` when the chunk was cut. `is_plain` says that it
    has no backslash, `has_mark` that it has the byte which may take the place of quotes. `breaks` are how many bytes
    and lines of it come before each further member of an archive that begins in it, if there are quotes: no record goes
    on from one to the next.
    """

    number: int
    offset: int
    length: int
    first_line: int
    lines: int
    is_one_record_a_line: bool
    quotes: Quotes
    is_plain: bool
    has_mark: bool
    source_bytes: int
    path: Path
    stamp: Stamp
    start: int
    copy: BinaryIO | None = None
    breaks: tuple[tuple[int, int], ...] = ()

    def members(self, size: int = 1 << 18) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield, for each member of an archive that is in the chunk, the line that it starts on and its bytes."""
        begin, line = 0, self.first_line
        for stop, lines in (*self.breaks, (self.length, self.lines)):
            yield line, self.blocks(size, begin, stop)
            begin, line = stop, self.first_line + lines

    def blocks(self, size: int = 1 << 18, begin: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the chunk's bytes, or those of a part of it.

        Raises SourceError, at the end, when the file has been written to meanwhile.
        """
        remaining = (self.length if stop is None else stop) - begin
        with self.path.open("rb") as file:
            file.seek(self.start + begin)
            while remaining:
                block = file.read(min(size, remaining))
                if not block:
                    # A file's last line need not end in a newline; the chunk's does.
                    if remaining > 1:
                        raise _changed()
                    block = b"\n"
                remaining -= len(block)
                yield block
        if stamp(self.path) != self.stamp:
            raise _changed()

    def discard(self) -> None:
        """Let go of the copy, if there is one."""
        if self.copy is not None:
            self.copy.close()


def chunk_size(file_bytes: int) -> int:
    """Return the size of chunk that a file of so many bytes is cut into."""
    return min(MAX_CHUNK_BYTES, max(MIN_CHUNK_BYTES, file_bytes // _CHUNKS_A_FILE))


def cut(stream: Stream, layout: Layout, chunk_bytes: int) -> Iterator[Chunk]:
    """Yield the chunks of a stream that is at its start, each of about `chunk_bytes`, always cut alike.

    Chunks of a packed or transcoded file are copied; whoever is done with one discards it.
    Raises SourceError for a line longer than MAX_RECORD_BYTES, and for a record that goes on for twice as much.
    """
    offset, line, number, source_done = layout.header_bytes, 1 + layout.header_lines, 0, 0
    blocks = record_blocks(stream, layout, min(chunk_bytes, BLOCK_BYTES))
    for first in blocks:
        length, lines, one_record_a_line, quotes, plain, marked = 0, 0, True, Quotes.NONE, True, False
        breaks: list[tuple[int, int]] = []
        # Without a name, so that a process that is killed leaves nothing.
        copy = None if stream.is_plain else cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        block: Block | None = first
        while block is not None:
            if block.starts_member and length:
                breaks.append((length, lines))
            plain = plain and is_plain(block.data)
            marked = marked or (block.quotes is not Quotes.NONE and MARK in block.data)
            quotes = quotes.joined(block.quotes)
            one_record_a_line = one_record_a_line and block.is_one_record_a_line
            length, lines = length + len(block.data), lines + block.lines
            if copy is not None:
                copy.write(block.data)
            block = next(blocks, None) if length < chunk_bytes else None
        if copy is not None:
            copy.flush()
            if stamp(stream.path) != stream.stamp:
                raise _changed()
        path = Path(f"/proc/self/fd/{copy.fileno()}") if copy is not None else stream.path
        chunk = Chunk(
            number=number,
            offset=offset,
            length=length,
            first_line=line,
            lines=lines,
            is_one_record_a_line=one_record_a_line,
            quotes=quotes,
            is_plain=plain,
            has_mark=marked,
            source_bytes=stream.source_bytes - source_done,
            path=path,
            stamp=stamp(path) if copy is not None else stream.stamp,
            start=0 if copy is not None else offset + stream.mark_bytes,
            copy=copy,
            breaks=() if quotes is Quotes.NONE else tuple(breaks),
        )
        yield chunk
        source_done += chunk.source_bytes
        offset, line, number = offset + length, line + lines, number + 1


def cut_ahead(path: Path, encoding: str, layout: Layout) -> Sequence[Chunk]:
    """Return all chunks of a plain file; none of one that is packed, nor of one that `cut` refuses."""
    try:
        with open_stream(path, encoding) as stream:
            return list(cut(stream, layout, chunk_size(stream.stamp.size))) if stream.is_plain else ()
    except SourceError:
        return ()


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records, of one member if they have quotes; how many newlines they have, and what the quotes are."""

    data: bytes
    lines: int
    quotes: Quotes
    is_one_record_a_line: bool
    starts_member: bool


def record_blocks(stream: Stream, layout: Layout, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield what follows the header in blocks of whole records, of about `size` bytes, the last with a newline too."""
    position = len(stream.read(layout.header_bytes))
    line = 1 + layout.header_lines
    rest, wanted = b"", size
    while True:
        data, ended = _fill(stream, rest, wanted)
        if not data:
            return
        if ended and not data.endswith(b"\n"):
            data += b"\n"
        if len(data) > MAX_RECORD_BYTES and data.find(b"\n", 0, MAX_RECORD_BYTES) < 0:
            raise SourceError(f"Line {line} is longer than {MAX_RECORD_BYTES >> 20} MiB; is this a CSV file?")
        # A field that a member leaves open is not closed by the next one. Without quotes, many small ones go at once.
        starts_member, end = stream.members_at(position)
        if data.find(QUOTE, 0, wanted) < 0:
            end = None
        length = len(data) if end is None else min(len(data), end - position)
        is_final = ended if end is None else position + length == end
        found = scan(data[: min(wanted, length)], layout.dialect, is_final=is_final and length <= wanted)
        rest = data[found.length :]
        if found.length == 0:
            # A field may end this side of MAX_RECORD_BYTES, and the line that it ends in be as long again.
            if len(data) > 2 * MAX_RECORD_BYTES:
                raise SourceError(
                    f"The record on line {line} goes on for more than {2 * MAX_RECORD_BYTES >> 20} MiB; is this a CSV"
                    " file?"
                )
            wanted *= 2
            continue
        lines = data.count(b"\n", 0, found.length)
        yield Block(data[: found.length], lines, found.quotes, found.is_one_record_a_line, starts_member)
        position, line, wanted = position + found.length, line + lines, size


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


def _changed() -> SourceError:
    return SourceError("The file has changed while it was read; submit it again.")
