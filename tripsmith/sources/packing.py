"""What a file is packed in: compression and archives undone, as the CSV texts within it, one after the other.

An archive may hold compressed files and other archives; what is packed within those is refused by name.
"""

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol, cast

import zstandard

BLOCK_BYTES = 1 << 20
# So much of a file's start tells what it is packed in.
START_BYTES = 512

# Trips pack to a fifth or a tenth of their size.
MAX_UNPACKED_RATIO = 250
SURELY_HARMLESS_BYTES = 64 << 20
# `xz -9` needs 65 MiB to unpack.
MAX_MEMORY_BYTES = 192 << 20

_GZIP, _ZSTD, _XZ, _BZIP2, _ZIP, _TAR = "gzip", "zstd", "xz", "bzip2", "zip", "tar"
_MAGIC = {
    b"\x1f\x8b": _GZIP,
    b"\x28\xb5\x2f\xfd": _ZSTD,
    b"\xfd7zXZ\0": _XZ,
    b"PK\x03\x04": _ZIP,
    b"PK\x05\x06": _ZIP,  # without a member
}
_FOREIGN_MAGIC = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x04\x22\x4d\x18": "packed by lz4",
    b"\x1f\x9d": "packed by compress",
    b"LZIP\x01": "packed by lzip",
}
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_FOREIGN_SUFFIXES = (".7z", ".rar", ".lz4", ".z", ".lz")

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_PACKED_SUFFIXES = (".gz", ".zst", ".xz", ".bz2", ".zip", ".tar", ".tgz", ".tzst", ".txz", ".tbz2")
# What archives often hold alongside the data, and what nobody would look for in the warehouse.
_JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_DOCUMENT_SUFFIXES = (
    ".md",
    ".pdf",
    ".htm",
    ".html",
    ".rtf",
    ".doc",
    ".docx",
    ".png",
    ".jpg",
    ".svg",
    ".sha256",
    ".md5",
)

_DAMAGES = (
    EOFError,
    struct.error,
    zlib.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zstandard.ZstdError,
)


class SourceError(Exception):
    """A file cannot be accepted; the message says what is wrong, where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Text:
    """One CSV within a file, to be read before the next is asked for; its name within the archive, '' in no archive."""

    name: str
    blocks: Iterator[bytes]


def is_packed(start: bytes) -> bool:
    """Whether a file that starts with these START_BYTES is packed; raise SourceError for a way not known here."""
    for magic, what in _FOREIGN_MAGIC.items():
        if start.startswith(magic):
            raise _foreign("The file", what)
    return _kind(start) is not None


def texts(file: BinaryIO, on_skipped: Callable[[str], None]) -> Iterator[Text]:
    """Yield the CSV texts within a file; `on_skipped` is given the names of other members that may hold data.

    Raises SourceError where the file is damaged, unpacks to more than it should, or is packed in a way not known here.
    """
    return _texts(file, "", _Budget(_size(file)), on_skipped)


@contextmanager
def reported_damage() -> Iterator[None]:
    """Turn what unpacking raises for a damaged file into a SourceError."""
    try:
        yield
    except NotImplementedError as error:
        raise SourceError(
            f"The archive is packed in a way that is not known here ({error}); unpack it first."
        ) from error
    except _DAMAGES as error:
        raise SourceError(f"The compressed file is damaged or cut short: {str(error).rstrip('.')}.") from error


class _Budget:
    """How many bytes a file may still unpack to: a few bytes must not fill the disk."""

    def __init__(self, packed_bytes: int) -> None:
        self._left = max(SURELY_HARMLESS_BYTES, MAX_UNPACKED_RATIO * packed_bytes)

    def spend(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._left -= len(block)
            if self._left < 0:
                raise SourceError(
                    f"The compressed file unpacks to more than {MAX_UNPACKED_RATIO} times its size, as files made to"
                    " fill a disk do; unpack it first if it is what you mean."
                )
            yield block


def _texts(
    file: BinaryIO, name: str, budget: _Budget, on_skipped: Callable[[str], None], *, is_member: bool = False
) -> Iterator[Text]:
    start = file.read(START_BYTES)
    file.seek(0)
    kind = _kind(start)
    if kind == _ZIP:
        yield from _zip_texts(file, name, budget, on_skipped, is_member=is_member)
        return
    blocks = budget.spend(_decompressed(file, kind)) if kind not in (None, _TAR) else _blocks(file)
    start, blocks = _start(blocks)
    inner = _kind(start)
    if inner == _TAR:
        yield from _tar_texts(blocks, name, budget, on_skipped, is_member=is_member)
    elif inner is not None and kind is not None:
        what = f"{name} in the archive" if is_member else "The compressed file"
        raise SourceError(f"{what} is packed twice, {inner} in {kind}; unpack it once.")
    else:
        yield Text(name, blocks)


def _zip_texts(
    file: BinaryIO, name: str, budget: _Budget, on_skipped: Callable[[str], None], *, is_member: bool
) -> Iterator[Text]:
    with zipfile.ZipFile(file) as archive:
        members = [
            (_member_name(name, member.filename), member) for member in archive.infolist() if not member.is_dir()
        ]
        wanted = _wanted([path for path, _ in members], on_skipped, is_member=is_member)
        for path, member in members:
            if path not in wanted:
                continue
            if member.flag_bits & 1:
                raise SourceError(f"{path} in the archive is encrypted; unpack it first.")
            with archive.open(member) as content:
                yield from _member_texts(path, cast(BinaryIO, content), budget, on_skipped)


def _tar_texts(
    blocks: Iterator[bytes], name: str, budget: _Budget, on_skipped: Callable[[str], None], *, is_member: bool
) -> Iterator[Text]:
    stream = TextReader(blocks)
    found: list[str] = []
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isdir():
                continue
            path = _member_name(name, member.name)
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                on_skipped(path)
            elif _wanted([path], on_skipped, is_member=is_member, is_all=False):
                found.append(path)
                yield from _member_texts(path, cast(BinaryIO, content), budget, on_skipped)
        rest = archive.fileobj
        # tarfile takes both the end mark and the end of the file for the end; what follows the mark has to be zeros.
        while rest is not None and (block := rest.read(BLOCK_BYTES)):
            if block.strip(b"\0"):
                raise SourceError("The tar archive goes on after its end, as two that were joined do; unpack it first.")
    if stream.tail.strip(b"\0") or not stream.tail:
        raise EOFError("its end is missing")
    if not found:
        raise _without_csv(())


def _member_texts(path: str, content: BinaryIO, budget: _Budget, on_skipped: Callable[[str], None]) -> Iterator[Text]:
    """Yield what a member of an archive holds: itself, or, where it is packed, the texts within it."""
    is_nested_name = path.lower().endswith(_PACKED_SUFFIXES)
    blocks = budget.spend(_blocks(content))
    if not is_nested_name:
        yield Text(path, blocks)
        return
    # A copy without a name: archives are read at several places.
    with tempfile.TemporaryFile() as copy:
        for block in blocks:
            copy.write(block)
        copy.seek(0)
        yield from _texts(cast(BinaryIO, copy), path, budget, on_skipped, is_member=True)


def _wanted(
    paths: list[str], on_skipped: Callable[[str], None], *, is_member: bool, is_all: bool = True
) -> frozenset[str]:
    """Return the members that are to be read; `is_all` says that these are all there are."""
    wanted, others = set(), []
    for path in paths:
        own = PurePosixPath(path).name.lower()
        if "__macosx" in path.lower().split("/") or own.startswith("._") or own in _JUNK_NAMES:
            continue
        if own.endswith(_FOREIGN_SUFFIXES):
            raise _foreign(f"{path} in the archive", f"packed as {own.rsplit('.', 1)[-1]}")
        if own.startswith(".") or not own.endswith(_TEXT_SUFFIXES + _PACKED_SUFFIXES):
            others.append(path)
        elif is_member and own.endswith(_PACKED_SUFFIXES):
            raise SourceError(f"{path} is packed within an archive that is in an archive; unpack the outer one first.")
        else:
            wanted.add(path)
    if is_all and not wanted:
        raise _without_csv(others)
    for path in others:
        if not path.lower().endswith(_DOCUMENT_SUFFIXES):
            on_skipped(path)
    return frozenset(wanted)


def _without_csv(others: "list[str] | tuple[str, ...]") -> SourceError:
    held = f", but {', '.join(others[:3])}{' and others' if len(others) > 3 else ''}" if others else ""
    return SourceError(f"The archive holds no .csv file{held}; .tsv and .txt are read too.")


def _foreign(what: str, how: str) -> SourceError:
    return SourceError(
        f"{what} is {how}, which is not read here; unpack it, or pack it as .zip, .tar.gz, .gz, .zst, .xz or .bz2."
    )


def _member_name(outer: str, name: str) -> str:
    """Return a member's name as text that can be stored and shown."""
    shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace").replace("\0", "")
    return f"{outer}/{shown}" if outer else shown


def _kind(start: bytes) -> str | None:
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    if start[:3] == b"BZh" and start[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return _BZIP2
    if start[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return _TAR
    return None


def _start(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first START_BYTES of blocks, and all of them again."""
    first = b""
    while len(first) < START_BYTES and (block := next(blocks, b"")):
        first += block
    return first[:START_BYTES], chain((first,), blocks)


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _decompressed(file: BinaryIO, kind: str | None) -> Iterator[bytes]:
    if kind == _GZIP:
        return _blocks(cast(BinaryIO, gzip.GzipFile(fileobj=file)))
    if kind == _ZSTD:
        _check_zstd_frames(file)
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return _blocks(cast(BinaryIO, reader))
    if kind == _XZ:
        return _streams(file, lambda: cast(_Decompressor, lzma.LZMADecompressor(memlimit=MAX_MEMORY_BYTES)))
    return _streams(file, lambda: cast(_Decompressor, bz2.BZ2Decompressor()))


def _streams(file: BinaryIO, new: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """Yield what the streams of a file, one after the other, unpack to; raise EOFError unless the last one is whole."""
    decompressor, data = new(), file.read(BLOCK_BYTES)
    while True:
        try:
            block = decompressor.decompress(data, BLOCK_BYTES)
        except OSError as error:  # bz2 has no error of its own for damage
            raise EOFError(str(error)) from error
        except lzma.LZMAError as error:
            if "Memory usage limit" in str(error):
                raise SourceError(
                    f"Unpacking the file would take more than {MAX_MEMORY_BYTES >> 20} MiB of memory; pack it with a"
                    " lower level, such as xz -6."
                ) from error
            raise
        if block:
            yield block
        data = b""
        if decompressor.eof:
            # Streams of xz may have zeros after them.
            data = decompressor.unused_data.lstrip(b"\0")
            while not data and (more := file.read(BLOCK_BYTES)):
                data = more.lstrip(b"\0")
            if not data:
                return
            decompressor = new()
        elif decompressor.needs_input:
            data = file.read(BLOCK_BYTES)
            if not data:
                raise EOFError("its last stream is not whole")


def _check_zstd_frames(file: BinaryIO) -> None:
    """Raise EOFError unless the last frame is whole: the reader of zstandard ends without a word where it is not.

    Format: https://www.rfc-editor.org/rfc/rfc8878
    """
    size, position = _size(file), 0
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


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            block = file.read(BLOCK_BYTES)
        except OSError as error:
            if error.errno is None and not isinstance(error, gzip.BadGzipFile):  # bz2 within a zip
                raise EOFError(str(error)) from error
            raise
        if not block:
            return
        yield block


class TextReader(io.RawIOBase):
    """Blocks of bytes as a raw stream; `tail` are the last bytes that were read, at most as many as a tar's block."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")
        self.tail = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read up to as many bytes as the buffer has; 0 at the end."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
            self.tail = (self.tail + block[-START_BYTES:])[-START_BYTES:]
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
