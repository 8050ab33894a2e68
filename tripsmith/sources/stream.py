"""A file of trips as one stream of UTF-8 bytes, whatever it was packed or encoded in."""

import codecs
import gzip
import hashlib
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

BLOCK_BYTES = 1 << 20
UTF8 = "utf-8"

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZIP_MAGIC = b"PK\x03\x04"
_PACKED = (_GZIP_MAGIC, _ZSTD_MAGIC, _ZIP_MAGIC)
_DAMAGES = (
    EOFError,
    struct.error,
    zlib.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zstandard.ZstdError,
)

# Trips pack to a fifth or a tenth of their size.
MAX_UNPACKED_RATIO = 250
_SURELY_HARMLESS_BYTES = 64 << 20

# Long enough that a thread which does other things meanwhile does not hold hashing up.
_HASHED_BYTES = 4 << 20


class SourceError(Exception):
    """A file cannot be taken; the message says what is wrong, where, and what would be right."""


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
    """Return a file's stamp; raise SourceError when there is no such file."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
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
    """The unpacked UTF-8 text of a file, read once from its start.

    `is_plain` tells whether the file itself is that text, but for a byte-order mark of `mark_bytes` bytes. `stamp` is
    that of the file when it was opened.
    """

    def __init__(self, path: Path, file: BinaryIO, encoding: str) -> None:
        self.path = path
        self.stamp = stamp(path)
        self._file = file
        start = file.read(4)
        file.seek(0)
        self.is_plain = encoding == UTF8 and not start.startswith(_PACKED)
        self.mark_bytes = len(codecs.BOM_UTF8) if self.is_plain and start.startswith(codecs.BOM_UTF8) else 0
        if self.is_plain:
            file.seek(self.mark_bytes)
            self._text = file
        else:
            self._text = cast(BinaryIO, io.BufferedReader(_Source(_decode(_unpack(file), encoding)), BLOCK_BYTES))

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, fewer only at the end; raise SourceError where the file is damaged."""
        try:
            return self._text.read(size)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    @property
    def source_bytes(self) -> int:
        """How far the file on disk, packed or not, has been read."""
        return self._file.tell()


@contextmanager
def open_stream(path: Path, encoding: str = UTF8) -> Iterator[Stream]:
    """Yield a file's content, unpacked and in UTF-8, without a byte-order mark, to be read once from the start.

    Bytes that the encoding does not allow pass through as they are, for PostgreSQL's own check to find.
    Raises SourceError when the file cannot be opened, or, while reading, when it is damaged.
    """
    with ExitStack() as stack:
        # Only what is done here: an OSError of the caller's block is not about this file.
        try:
            stream = Stream(path, stack.enter_context(path.open("rb")), encoding)
        except OSError as error:
            raise _unreadable(path, error) from error
        yield stream


class _Source(io.RawIOBase):
    """Blocks of bytes as a raw stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _unpack(file: BinaryIO) -> Iterator[bytes]:
    magic = file.read(4)
    file.seek(0)
    try:
        if magic == _ZIP_MAGIC:
            yield from _limited(_unzip(file), file)
        elif magic.startswith(_GZIP_MAGIC):
            yield from _limited(_blocks(cast(BinaryIO, gzip.GzipFile(fileobj=file))), file)
        elif magic == _ZSTD_MAGIC:
            _check_zstd_frames(file)
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            yield from _limited(_blocks(cast(BinaryIO, reader)), file)
        else:
            yield from _blocks(file)
    except NotImplementedError as error:
        raise SourceError(
            f"The archive is packed in a way that is not known here ({error}); unpack it first."
        ) from error
    except _DAMAGES as error:
        raise SourceError(f"The compressed file is damaged or cut short: {error}.") from error


def _limited(blocks: Iterator[bytes], file: BinaryIO) -> Iterator[bytes]:
    """Pass blocks on until there are more than a file of this size may hold: a few bytes must not fill the disk."""
    limit = max(_SURELY_HARMLESS_BYTES, MAX_UNPACKED_RATIO * os.fstat(file.fileno()).st_size)
    for block in blocks:
        limit -= len(block)
        if limit < 0:
            raise SourceError(
                f"The compressed file unpacks to more than {MAX_UNPACKED_RATIO} times its size, as files made to fill a"
                " disk do; unpack it first if it is what you mean."
            )
        yield block


def _check_zstd_frames(file: BinaryIO) -> None:
    """Raise EOFError unless the last frame is whole: the reader of zstandard ends without a word where it is not.

    Format: https://www.rfc-editor.org/rfc/rfc8878
    """
    size, position = os.fstat(file.fileno()).st_size, 0
    while position < size:
        file.seek(position)
        head = file.read(18)
        if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:  # a frame to be skipped
            position += 8 + int.from_bytes(head[4:8], "little")
            continue
        position += zstandard.frame_header_size(head)
        last = False
        while not last and position < size:
            file.seek(position)
            block = int.from_bytes(file.read(3), "little")
            last, is_one_byte = bool(block & 1), block >> 1 & 3 == 1
            position += 3 + (1 if is_one_byte else block >> 3)
        position += 4 * zstandard.get_frame_parameters(head).has_checksum
        if not last:
            raise EOFError("its last frame is not whole")
    if position > size:
        raise EOFError("its last frame is not whole")
    file.seek(0)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def _unzip(file: BinaryIO) -> Iterator[bytes]:
    """Yield the CSV files of an archive one after the other; from the second on, an empty line replaces the header."""
    with zipfile.ZipFile(file) as archive:
        members = [
            m for m in archive.infolist() if not m.is_dir() and m.filename.lower().endswith((".csv", ".tsv", ".txt"))
        ]
        members = [m for m in members if not m.filename.startswith("__MACOSX/")]
        if not members:
            raise SourceError("The archive holds no .csv file.")
        header: bytes | None = None
        for member in members:
            if member.flag_bits & 1:
                raise SourceError(f"{member.filename} in the archive is encrypted; unpack it first.")
            with archive.open(member) as content:
                first = content.readline(BLOCK_BYTES)
                if header is None:
                    header = first
                    yield first
                elif first.strip().lstrip(codecs.BOM_UTF8) == header.strip().lstrip(codecs.BOM_UTF8):
                    yield b"\n"
                else:
                    raise SourceError(f"{member.filename} has another header than {members[0].filename}.")
                last = first
                for last in _blocks(cast(BinaryIO, content)):
                    yield last
                if not last.endswith(b"\n"):
                    yield b"\n"


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
