"""Streams: the same text from any packing, and damage told wherever it is."""

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile

import pytest
import zstandard

from tripsmith.sources import packing
from tripsmith.sources.stream import Member, SourceError, digest, is_packed_file, known_encoding, open_stream, survey

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


def tarred(data: bytes, mode: str = "w", *, name: str = "folder/trips.CSV") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for path, content in {"folder/._trips.csv": b"not this", name: data}.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zipped_members(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


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
    "xz": lzma.compress,
    "xz-in-streams": lambda data: lzma.compress(data[:1000]) + bytes(8) + lzma.compress(data[1000:]),
    "bzip2": bz2.compress,
    "bzip2-in-streams": lambda data: bz2.compress(data[:1000]) + bz2.compress(data[1000:]),
    "tar": tarred,
    "tar-gzip": lambda data: tarred(data, "w:gz"),
    "tar-bzip2": lambda data: tarred(data, "w:bz2"),
    "tar-xz": lambda data: tarred(data, "w:xz"),
    "tar-zstd": lambda data: zstd(tarred(data)),
    "gzip-in-zip": lambda data: zipped_members({"trips.csv.gz": gzip.compress(data)}),
    "zip-in-zip": lambda data: zipped_members({"trips.zip": zipped(data)}),
    "zip-in-tar": lambda data: tarred(zipped(data), name="trips.zip"),
    "tar-gzip-in-zip": lambda data: zipped_members({"trips.tgz": tarred(data, "w:gz")}),
    "zstd-in-tar-xz": lambda data: tarred(zstd(data), "w:xz", name="trips.csv.zst"),
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


# A tar that nothing compresses ends in 10 kB of zeros at most: without some of them it is whole.
@pytest.mark.parametrize("kind", [kind for kind in PACKERS if kind not in ("plain", "tar", "zip-in-tar")])
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
    monkeypatch.setattr(packing, "SURELY_HARMLESS_BYTES", 1 << 20)
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
    monkeypatch.setattr(packing, "BLOCK_BYTES", 3)
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


@pytest.mark.parametrize(
    ("start", "name"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\x01\0", "RAR"), (b"\x04\x22\x4d\x18", "lz4")]
)
def test_other_packings_are_refused_by_name(tmp_path, start, name):
    path = tmp_path / "trips"
    path.write_bytes(start + bytes(600))
    with pytest.raises(SourceError, match=rf"{name}.*unpack it, or pack it as \.zip"):
        read_all(path)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.zip": zipped_members({"b.zip": zipped(b"a\n1\n")})}, r"a\.zip/b\.zip is packed within an archive"),
        ({"a.zip": zipped_members({"b.csv.gz": gzip.compress(b"a\n1\n")})}, r"a\.zip/b\.csv\.gz is packed within"),
        (
            {"a.csv.gz": gzip.compress(gzip.compress(b"a\n1\n"))},
            r"a\.csv\.gz in the archive is packed twice, gzip in gzip",
        ),
        ({"a.csv": b"a\n1\n", "b.rar": b"Rar!"}, r"b\.rar in the archive is packed as rar, .*unpack it"),
        ({"a.parquet": b"PAR1"}, r"holds no \.csv file, but a\.parquet; \.tsv and \.txt are read too"),
        ({"a.csv": b"a,b\n1,2\n", "b.csv": b"a;b\n1;2\n"}, r"b\.csv has another header than a\.csv"),
        ({"a.csv": b"a\tb\n1\t2\n", "b.csv": b"ab\n1\t2\n"}, r"b\.csv has another header than a\.csv"),
    ],
)
def test_archives_that_are_not_read_are_refused_with_the_member(tmp_path, members, message):
    path = tmp_path / "trips"
    path.write_bytes(zipped_members(members))
    with pytest.raises(SourceError, match=message):
        read_all(path)


def test_a_compressed_file_within_a_compressed_file_is_refused(tmp_path):
    path = tmp_path / "trips"
    path.write_bytes(gzip.compress(lzma.compress(TEXT)))
    with pytest.raises(SourceError, match="packed twice, xz in gzip"):
        read_all(path)


def test_unpacking_that_takes_too_much_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "MAX_MEMORY_BYTES", 1 << 20)
    path = tmp_path / "trips"
    path.write_bytes(lzma.compress(TEXT))
    with pytest.raises(SourceError, match="more than 1 MiB of memory"):
        read_all(path)


@pytest.mark.parametrize("missing", [0, 1, 512, 1000])
def test_a_tar_without_its_end_is_never_taken_for_whole(tmp_path, missing):
    path = tmp_path / "trips"
    whole = tarred(TEXT)
    end_of_members = -(-len(whole.rstrip(b"\0")) // 512) * 512
    path.write_bytes(whole[: end_of_members - missing])
    with pytest.raises(SourceError, match="damaged or cut short"):
        read_all(path)


def test_a_tar_that_goes_on_after_its_end_is_refused(tmp_path):
    path = tmp_path / "trips"
    path.write_bytes(tarred(TEXT) + tarred(TEXT))
    with pytest.raises(SourceError, match="goes on after its end"):
        read_all(path)


MEMBERS = {
    "__MACOSX/._one.csv": b"junk",
    ".DS_Store": b"junk",
    "one.csv": b"\xef\xbb\xbfa,b\n1,2\n3,4",
    "folder/": b"",
    "empty.csv": b"",
    ".hidden.csv": b"a,b\n5,6\n",
    "two.csv": b" A , b\r\n5,6\r\n",
    "again/one.csv": b"\xef\xbb\xbfa,b\n1,2\n3,4",
    "rows.parquet": b"PAR1",
    "read me.md": b"about",
    "header only.csv": b"a,b\n\n",
}


def test_members_follow_one_another_with_lines_for_their_headers(tmp_path):
    path = tmp_path / "trips.zip"
    path.write_bytes(zipped_members(MEMBERS))
    one, two = b"a,b\n1,2\n3,4\n", b"\n5,6\r\n"
    assert read_all(path) == one + two + b"\n1,2\n3,4\n" + b"\n\n"
    with open_stream(path, only=frozenset({2, 4})) as opened:
        assert opened.read(1000) == b" A , b\r\n5,6\r\n" + b"\n\n"


def test_a_survey_numbers_members_and_names_what_is_left_out(tmp_path):
    path = tmp_path / "trips.zip"
    path.write_bytes(zipped_members(MEMBERS))
    found = survey(path)
    first, second = hashlib.sha256(MEMBERS["one.csv"]).digest(), hashlib.sha256(MEMBERS["two.csv"]).digest()
    assert found.members == (
        Member(0, "one.csv", first, 3),
        Member(2, "two.csv", second, 2),
        Member(3, "again/one.csv", first, 3),
    )
    assert set(found.skipped) == {".hidden.csv", "empty.csv", "rows.parquet", "header only.csv"}


def test_a_header_of_several_lines_is_replaced_by_as_many(tmp_path):
    path = tmp_path / "trips.zip"
    header = b'sep=,\n"a ""x""\nb","c\n\nd",27" e, "f\n'
    path.write_bytes(zipped_members({"1.csv": header + b"1,2,3\n", "2.csv": header + b"4,5,6\n"}))
    assert read_all(path) == header + b"1,2,3\n" + b"\n" * 5 + b"4,5,6\n"


@pytest.mark.parametrize("before", [b"\n", b" \r\n\n", b'"sep=,"\r\n', b"\nSEP=,\n"])
def test_what_precedes_a_header_is_part_of_it_in_every_member(tmp_path, before):
    path = tmp_path / "trips.zip"
    path.write_bytes(zipped_members({"1.csv": before + b"a,b\n1,2\n", "2.csv": before + b"a,b\n3,4\n"}))
    lines = before.count(b"\n") + 1
    assert read_all(path) == before + b"a,b\n1,2\n" + b"\n" * lines + b"3,4\n"
    assert [(member.name, member.lines) for member in survey(path).members] == [
        ("1.csv", lines + 1),
        ("2.csv", lines + 1),
    ]


def test_a_member_that_starts_with_a_blank_line_is_read_after_one_that_does_not(tmp_path):
    path = tmp_path / "trips.zip"
    path.write_bytes(zipped_members({"1.csv": b"a,b\n1,2\n", "2.csv": b"\na,b\n3,4\n"}))
    assert read_all(path) == b"a,b\n1,2\n\n\n3,4\n"
    assert survey(path).skipped == ()


def test_members_in_another_encoding_are_decoded_one_by_one(tmp_path):
    path = tmp_path / "trips.zip"
    members = {f"{n}.csv": f"a,b\n{n},Köln\n".encode("utf-16") for n in (1, 2)}
    path.write_bytes(zipped_members(members))
    assert read_all(path, "utf-16") == "a,b\n1,Köln\n\n2,Köln\n".encode()
    assert survey(path, "utf-16").members[1] == Member(1, "2.csv", hashlib.sha256(members["2.csv"]).digest(), 2)


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_files_are_told_from_plain_ones(tmp_path, kind):
    path = tmp_path / "trips"
    path.write_bytes(PACKERS[kind](TEXT))
    assert is_packed_file(path) == (kind != "plain")
