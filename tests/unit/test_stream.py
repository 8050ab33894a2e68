"""Streams: the same text from any packing, and damage told wherever it is."""

import bz2
import gzip
import io
import zipfile

import pytest
import zstandard

from tripsmith.sources import stream
from tripsmith.sources.stream import SourceError, digest, known_encoding, open_stream

TEXT = b"".join(b"%d,%d\n" % (n, n * n * 7919 % 1_000_003) for n in range(30_000))


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("__MACOSX/._trips.csv", b"not this")
        archive.writestr("folder/trips.CSV", data)
    return packed.getvalue()


def zstd(data: bytes, **options: bool) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(data)


def zstd_streamed(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstd,
    "zstd-with-checksum": lambda data: zstd(data, write_checksum=True),
    "zstd-streamed": zstd_streamed,
    "zstd-in-frames": lambda data: zstd(data[:1000]) + b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zstd_streamed(data[1000:]),
    "zip": zipped,
    "zip-stored": lambda data: zipped(data, zipfile.ZIP_STORED),
    "zip-bzip2": lambda data: zipped(data, zipfile.ZIP_BZIP2),
    "zip-lzma": lambda data: zipped(data, zipfile.ZIP_LZMA),
}


def read_all(path, encoding="utf-8", size=1 << 16):
    with open_stream(path, encoding) as opened:
        return b"".join(iter(lambda: opened.read(size), b""))


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
@pytest.mark.parametrize("text", [TEXT, b"a\n"])
def test_the_same_text_from_any_packing(tmp_path, pack, text):
    path = tmp_path / "trips"
    path.write_bytes(pack(text))
    assert read_all(path) == text


@pytest.mark.parametrize("kind", [kind for kind in PACKERS if kind != "plain"])
@pytest.mark.parametrize("missing", [1, 5, 1000, 20_000])
def test_a_packed_file_cut_short_is_never_taken_for_whole(tmp_path, kind, missing):
    path = tmp_path / "trips"
    path.write_bytes(PACKERS[kind](TEXT)[:-missing])
    with pytest.raises(SourceError, match="damaged or cut short"):
        read_all(path)


@pytest.mark.parametrize("kind", ["gzip", "zstd-with-checksum", "zip", "zip-stored", "zip-bzip2", "zip-lzma"])
def test_a_flipped_bit_is_told(tmp_path, kind):
    path = tmp_path / "trips"
    packed = bytearray(PACKERS[kind](TEXT))
    packed[len(packed) // 2] ^= 4
    path.write_bytes(packed)
    with pytest.raises(SourceError):
        read_all(path)


@pytest.mark.parametrize("kind", ["gzip", "zstd", "zip", "zip-bzip2", "zip-lzma"])
def test_what_unpacks_beyond_measure_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(stream, "_SURELY_HARMLESS_BYTES", 1 << 20)
    path = tmp_path / "trips"
    path.write_bytes(PACKERS[kind](b"a\n" * (4 << 20)))
    assert path.stat().st_size < 40_000
    with pytest.raises(SourceError, match="unpacks to more than 250 times its size"):
        read_all(path)


def test_bytes_that_an_encoding_does_not_know_pass_through(tmp_path):
    path = tmp_path / "trips"
    path.write_bytes(b"K\xf6ln\x81")
    assert read_all(path, "ascii") == b"K\xf6ln\x81"
    assert read_all(path, "latin-1") == "Köln\x81".encode()


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_an_encoding_of_several_bytes_may_be_read_in_any_pieces(tmp_path, monkeypatch, size):
    monkeypatch.setattr(stream, "BLOCK_BYTES", 3)
    path = tmp_path / "trips"
    path.write_bytes("Köln 🚲\n".encode("utf-16"))
    assert read_all(path, "utf-16", size) == "Köln 🚲\n".encode()


def test_an_error_of_the_caller_is_not_the_files(tmp_path):
    path = tmp_path / "trips"
    path.write_bytes(TEXT)
    with pytest.raises(BrokenPipeError), open_stream(path):
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("given", "name"), [(None, "utf-8"), ("UTF8", "utf-8"), ("latin-1", "iso8859-1"), ("utf_16", "utf-16")]
)
def test_encodings_have_one_name(given, name):
    assert known_encoding(given) == name


@pytest.mark.parametrize("name", ["klingon", "rot13", "hex", "zlib", "base64", "a\0b", "ä" * 9, "undefined"])
def test_what_is_no_encoding_of_text_is_refused(name):
    with pytest.raises(SourceError, match="is not known"):
        known_encoding(name)


def test_a_folder_and_a_missing_file_are_told(tmp_path):
    for ask in (digest, read_all):
        with pytest.raises(SourceError, match="is a folder"):
            ask(tmp_path)
        with pytest.raises(SourceError, match="There is no file"):
            ask(tmp_path / "missing")


def test_bzip2_alone_is_not_unpacked(tmp_path):
    path = tmp_path / "trips"
    path.write_bytes(bz2.compress(TEXT))
    assert read_all(path) == path.read_bytes()
