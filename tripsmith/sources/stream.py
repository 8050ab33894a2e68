"""A file of trips as one stream of UTF-8 bytes, whatever it was packed or encoded in."""

import codecs
import hashlib
import io
import re
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from tripsmith.sources.packing import (
    BLOCK_BYTES,
    START_BYTES,
    SourceError,
    TextReader,
    is_packed,
    reported_damage,
    texts,
)

__all__ = ["BLOCK_BYTES", "SourceError"]

UTF8 = "utf-8"

# Long enough that a thread which does other things meanwhile does not hold hashing up.
_HASHED_BYTES = 4 << 20
_MAX_HEADER_BYTES = 1 << 20

# What may precede a header: blank lines and a line `sep=;`; see `inspect`.
_PREAMBLE = re.compile(rb'(?:[ \t]*\r?\n)*(?:"?sep=[^\r\n]"?\r?\n)?', re.IGNORECASE)
# Whatever the delimiter: a quote that opens a field, and all up to the one that closes it.
_OPENING_QUOTE = re.compile(rb'(?<![^,;\t|\n])"')
_CLOSING_QUOTE = re.compile(rb'(?:[^"]+|"")*+"')


def digest(path: Path) -> bytes:
    """Return the SHA-256 of a file's bytes; raise SourceError when it cannot be read."""
    try:
        with path.open("rb") as file:
            hashed, block = hashlib.sha256(), memoryview(bytearray(_HASHED_BYTES))
            while size := file.readinto(block):
                hashed.update(block[:size])
            return hashed.digest()
    except OSError as error:
        raise _unreadable(path, error) from error


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's size in bytes and when it was last written to, in nanoseconds: it differs when the content does."""

    size: int
    modified_ns: int


def stamp(path: Path) -> Stamp:
    """Return a file's stamp; raise SourceError when there is no such file, or it is a pipe, a socket or a device."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise SourceError(f"{path} is not a regular file; copy what it yields into one.")
    return Stamp(status.st_size, status.st_mtime_ns)


def known_encoding(name: str | None) -> str:
    """Return Python's name of an encoding, UTF-8 when none is given; raise SourceError for one it does not know."""
    try:
        "a".encode(name or UTF8)  # refuses, unlike lookup, what is no encoding of text, such as rot13 and zlib
        return codecs.lookup(name or UTF8).name
    except (LookupError, ValueError) as error:
        raise SourceError(
            f"The encoding {name!r} is not known; utf-8, latin-1, cp1252 and utf-16 are examples of those that are."
        ) from error


class Stream:
    """The unpacked UTF-8 text of a file, read once from its start; of an archive, the members that are wanted.

    `is_plain` tells whether the file itself is that text, but for a byte-order mark of `mark_bytes` bytes. `stamp` is
    that of the file when it was opened.
    """

    def __init__(self, path: Path, file: BinaryIO, encoding: str, only: frozenset[int] | None = None) -> None:
        self.path = path
        self.stamp = stamp(path)
        self._file = file
        self._member_ends: deque[int] = deque()
        start = file.read(START_BYTES)
        file.seek(0)
        self.is_plain = not is_packed(start) and encoding == UTF8
        self.mark_bytes = len(codecs.BOM_UTF8) if self.is_plain and start.startswith(codecs.BOM_UTF8) else 0
        if self.is_plain:
            file.seek(self.mark_bytes)
            self._text = file
        else:
            blocks = self._joined(_pieces(file, encoding, only))
            self._text = cast(BinaryIO, io.BufferedReader(TextReader(blocks), BLOCK_BYTES))

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, fewer only at the end; raise SourceError where the file is damaged."""
        try:
            return self._text.read(size)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def members_at(self, position: int) -> tuple[bool, int | None]:
        """Tell whether a further member of an archive begins at a position of the text, and where it ends.

        The end is None where no byte of the member behind it was read yet. Positions must not go back.
        """
        while self._member_ends and self._member_ends[0] < position:
            self._member_ends.popleft()
        begins = bool(self._member_ends) and self._member_ends[0] == position
        return begins, next((end for end in self._member_ends if end > position), None)

    def _joined(self, pieces: "Iterator[_Piece]") -> Iterator[bytes]:
        number, length = None, 0
        for piece in pieces:
            if piece.number != number and number is not None:
                self._member_ends.append(length)
            number, length = piece.number, length + len(piece.block)
            yield piece.block

    @property
    def source_bytes(self) -> int:
        """How far the file on disk, packed or not, has been read."""
        return self._file.tell()


@contextmanager
def open_stream(path: Path, encoding: str = UTF8, only: frozenset[int] | None = None) -> Iterator[Stream]:
    """Yield a file's content, unpacked and in UTF-8, without a byte-order mark, to be read once from the start.

    An archive is read as one CSV: its members follow one another, from the second on with empty lines for the header.
    `only` are the numbers of its members that are wanted, the others being left out as if they were not there.
    Bytes that the encoding does not allow pass through as they are, for PostgreSQL's own check to find.
    Raises SourceError when the file cannot be opened, or, while reading, when it is damaged.
    """
    with ExitStack() as stack:
        # Only what is done here: an OSError of the caller's block is not about this file.
        try:
            stream = Stream(path, stack.enter_context(path.open("rb")), encoding, only)
        except OSError as error:
            raise _unreadable(path, error) from error
        yield stream


@dataclass(frozen=True, slots=True)
class Member:
    """A CSV within a file: its number and name there, 0 and '' where the file is no archive.

    `sha256` is that of its bytes, before they are decoded. `lines` are the physical lines that it takes up in the
    file's stream; None where nobody counted them.
    """

    number: int
    name: str
    sha256: bytes
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """The members of a file that have rows, and the names of others that may hold data."""

    members: tuple[Member, ...]
    skipped: tuple[str, ...] = ()


def is_packed_file(path: Path) -> bool:
    """Whether a file is packed; raise SourceError where it cannot be read, or is packed in a way not known here."""
    try:
        with path.open("rb") as file:
            return is_packed(file.read(START_BYTES))
    except OSError as error:
        raise _unreadable(path, error) from error


def survey(path: Path, encoding: str = UTF8) -> Survey:
    """Return what a packed file holds, having unpacked all of it.

    Raises SourceError where it cannot be read to its end.
    """
    digests: dict[int, hashlib._Hash] = {}

    def hashed(number: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
        digests[number] = hashlib.sha256()
        for block in blocks:
            digests[number].update(block)
            yield block

    names: dict[int, str] = {}
    lines: dict[int, int] = {}
    with_rows: set[int] = set()
    skipped: list[str] = []
    try:
        with path.open("rb") as file:
            for piece in _pieces(file, encoding, None, hashed, skipped.append):
                names[piece.number] = piece.name
                lines[piece.number] = lines.get(piece.number, 0) + piece.block.count(b"\n")
                if piece.is_below_header and not piece.block.isspace():
                    with_rows.add(piece.number)
    except OSError as error:
        raise _unreadable(path, error) from error
    skipped += [name for number, name in names.items() if name and number not in with_rows]
    members = (Member(n, names[n], digests[n].digest(), lines[n]) for n in names if n in with_rows)
    return Survey(tuple(members), tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block of the stream, and the member that it is of."""

    number: int
    name: str
    block: bytes
    is_below_header: bool


def _pieces(
    file: BinaryIO,
    encoding: str,
    only: frozenset[int] | None,
    watched: Callable[[int, Iterator[bytes]], Iterator[bytes]] = lambda number, blocks: blocks,
    on_skipped: Callable[[str], None] = lambda name: None,
) -> Iterator[_Piece]:
    """Yield the stream of a file; `watched` is given the bytes of each member as they are read."""
    header, header_of = b"", ""
    with reported_damage():
        for number, text in enumerate(texts(file, on_skipped)):
            if only is not None and number not in only:
                continue
            own, blocks = _split_header(_decode(watched(number, text.blocks), encoding))
            if not own.strip():
                if text.name:
                    on_skipped(text.name)
                    continue
            elif not header:
                header, header_of = own, text.name
            elif _folded(own) == _folded(header):
                own = b"\n" * own.count(b"\n")
            else:
                raise SourceError(f"{text.name} has another header than {header_of}.")
            yield _Piece(number, text.name, own, is_below_header=False)
            last = own
            for block in blocks:
                if block:
                    yield _Piece(number, text.name, last := block, is_below_header=True)
            # The next member must not go on in the last line of this one.
            if text.name and not last.endswith(b"\n"):
                yield _Piece(number, text.name, b"\n", is_below_header=True)


def _split_header(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the header of a CSV, with its line end and with what precedes it, and the blocks that follow it."""
    start, end = b"", 0
    for block in blocks:
        start += block
        end = _stop_of_header(start)
        if end or len(start) > _MAX_HEADER_BYTES:
            break
    end = end or len(start)
    return start[:end], chain((start[end:],), blocks)


def _stop_of_header(start: bytes) -> int:
    """Return where the header stops that a CSV starts with, after its newline; 0 where that is not seen yet."""
    preamble = _PREAMBLE.match(start)
    place = preamble.end() if preamble else 0
    while (newline := start.find(b"\n", place)) >= 0:
        opening = _OPENING_QUOTE.search(start, place, newline)
        if opening is None:
            return newline + 1
        closing = _CLOSING_QUOTE.match(start, opening.end())
        if closing is None:
            return 0
        place = closing.end()
    return 0


def _folded(header: bytes) -> str:
    """Return what headers that differ in case and blanks only have in common."""
    return "".join(header.decode(errors="surrogateescape").replace("\t", "\0").split()).casefold()


def _decode(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == UTF8:
        first = next(blocks, b"")
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    start = True
    try:
        for block in blocks:
            text = decoder.decode(block)
            if start and text:
                text, start = text.removeprefix("\ufeff"), False
            yield text.encode(UTF8, errors="surrogateescape")
        yield decoder.decode(b"", final=True).encode(UTF8, errors="surrogateescape")
    except UnicodeError as error:
        raise SourceError(f"The file is not {encoding}: {error}.") from error


def _unreadable(path: Path, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError):
        return SourceError(f"There is no file {path}.")
    if isinstance(error, IsADirectoryError):
        return SourceError(f"{path} is a folder, not a file.")
    return SourceError(f"{path} cannot be read: {error.strerror or error}.")
