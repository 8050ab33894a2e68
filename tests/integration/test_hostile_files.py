"""Files made to go wrong. The name of each states its outcome: refused, failed, or so many rows loaded and rejected.

A file of which no row is loaded has failed, its rejected rows being kept.
"""

import bz2
import gzip
import io
import random
import re
import string
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
import zstandard
from contents import bronze_rows, check_sums, rejected

from tripsmith.answers.metrics import list_regions
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import BadFileError, Options, submit
from tripsmith.sources import chunks, packing

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"


def row(
    region: bytes = b"Prague",
    origin: bytes = b"POINT (14.4 50.1)",
    destination: bytes = b"POINT (14.5 50.0)",
    time: bytes = b"2018-05-28 09:03:40",
    source: bytes = b"car",
    *,
    delimiter: bytes = b",",
    end: bytes = b"\n",
) -> bytes:
    return delimiter.join((region, origin, destination, time, source)) + end


def rows(column: str, *values: bytes) -> bytes:
    """Return a file with a row for each value of one column."""
    return HEADER + b"".join(row(**{column: value}) for value in values)


def zipped(*files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.csv", file)
    return packed.getvalue()


def without_csv() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.md", "nothing here")
    return packed.getvalue()


def zstd(*frames: bytes) -> bytes:
    return b"".join(zstandard.ZstdCompressor(write_content_size=False).compress(frame) for frame in frames)


def noise(size: int, seed: int = 0) -> bytes:
    """Return letters that no compression makes shorter."""
    return "".join(random.Random(seed).choices(string.ascii_letters, k=size)).encode()


@dataclass(frozen=True)
class Hostile:
    """A file and what has to become of it: `rejected` is a part of the reason by line, `error` a part of the message."""

    name: str
    content: bytes | Callable[[], bytes]
    loaded: int = 0
    rejected: dict[int, str] = field(default_factory=dict)
    refused: str = ""
    failed: str = ""
    options: dict[str, str] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        counts = f"{self.loaded}-loaded-{len(self.rejected)}-rejected"
        return f"{self.name}.{'refused' if self.refused else 'failed' if self.failed else counts}.csv"


GOOD = row()
ALL = [
    # The file as a whole.
    Hostile("empty", b"", refused="is empty"),
    Hostile("only-blank-lines", b"\n\r\n  \n", refused="is empty"),
    Hostile("header-only", HEADER, refused="no rows"),
    Hostile("header-only-without-newline", HEADER.rstrip(), refused="no rows"),
    Hostile("header-and-blank-lines", HEADER + b"\n\r\n\n", refused="no rows"),
    Hostile("no-header", GOOD * 3, refused="not the header of a known format"),
    Hostile("header-without-region", HEADER[7:] + GOOD[7:], refused="lacks region"),
    Hostile("header-without-region-but-option", HEADER[7:] + GOOD[7:], loaded=1, options={"region": "Prague"}),
    Hostile("empty-region-as-option", HEADER + GOOD, refused="region given is empty", options={"region": " "}),
    Hostile("unknown-format", HEADER + GOOD, refused="no format 'parquet'", options={"format": "parquet"}),
    Hostile("unknown-encoding", HEADER + GOOD, refused="is not known", options={"encoding": "klingon"}),
    Hostile("encoding-that-is-no-text", HEADER + GOOD, refused="is not known", options={"encoding": "rot13"}),
    Hostile("encoding-with-a-nul", HEADER + GOOD, refused="is not known", options={"encoding": "utf\0-8"}),
    Hostile("binary", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), refused="binary|not UTF-8"),
    Hostile("nul-in-header", b"re\0gion" + HEADER[6:] + GOOD, refused="binary"),
    Hostile("elf", b"\x7fELF\x02\x01\x01\0\0\0" + bytes(300), refused="binary"),
    Hostile("last-line-without-newline", HEADER + GOOD + GOOD.rstrip(), loaded=2),
    Hostile("blank-lines-between", HEADER + GOOD + b"\n\r\n" + GOOD + b"\n" + row(region=b""), 2, {7: "region is missing"}),
    Hostile("line-of-spaces", HEADER + GOOD + b"   \n" + GOOD, 2, {3: "has 1 column where the header has 5"}),
    # Headers.
    Hostile("header-of-a-million-columns", b",".join(b"c%d" % n for n in range(10**6)) + b"\n1\n", refused="longer than"),
    Hostile("header-of-500-columns", HEADER.strip() + b",x" * 495 + b"\n" + GOOD, refused="has 500 columns; at most 400"),
    Hostile("header-of-a-200-kilobyte-name", b"x" * 200_000 + b"," + HEADER + GOOD, refused="not a header"),
    Hostile("header-with-a-quote-never-closed", b'"' + HEADER + GOOD * 3, refused="quote opened in the first line"),
    Hostile("header-of-a-million-quoted-lines", b'"' + b"\n" * (2 << 20), refused="longer than"),
    Hostile("header-with-carriage-return-inside", b"a\rb," + HEADER + b"1," + GOOD, refused="not a header"),
    Hostile("header-quoted", b'"region","origin_coord","destination_coord","datetime","datasource"\n' + GOOD, loaded=1),
    Hostile("header-in-capitals-and-spaces", b" Region ,ORIGIN_COORD,Destination_Coord , datetime,DATASOURCE\n" + GOOD, 1),
    Hostile("header-doubled", b"region,Region," + HEADER[7:] + b"Prague,Turin," + GOOD[7:] + GOOD, 1, {3: "has 5 columns"}),
    Hostile(
        "header-that-postgresql-cannot-take",
        b"ctid,,_line,xmin,ctid,%s," + b"long" * 30 + b"," + b"long" * 30 + b',"a ""b"" {c} %s",' + HEADER
        + b"1,2,3,4,5,6,7,8,9," + GOOD,
        loaded=1,
    ),
    Hostile(
        "header-of-395-long-names",
        HEADER.strip() + b"".join(b"," + noise(60, n) for n in range(395)) + b"\n"
        + GOOD.strip() + b"".join(b"," + noise(100, n) for n in range(395)) + b"\n",
        loaded=1,
    ),
    Hostile("header-of-395-names-in-several-bytes", HEADER.strip() + "".join(f",{'ä' * 40}{n}" for n in range(395)).encode()
            + b"\n" + GOOD.strip() + b"," * 395 + b"\n", loaded=1),
    # Bytes, quotes and line ends.
    Hostile("byte-order-mark", b"\xef\xbb\xbf" + HEADER + GOOD + row(region=b""), 1, {3: "region is missing"}),
    Hostile("byte-order-mark-before-a-quote", b'\xef\xbb\xbf"region"' + HEADER[6:] + GOOD, loaded=1),
    Hostile("byte-order-mark-doubled", b"\xef\xbb\xbf" * 2 + HEADER + GOOD, loaded=1),
    Hostile("crlf", (HEADER + GOOD + row(region=b"") + GOOD).replace(b"\n", b"\r\n"), 2, {3: "region is missing"}),
    Hostile("mixed-line-ends", HEADER + GOOD + row(end=b"\r\n") + GOOD + row(end=b"\r\n"), loaded=4),
    Hostile("mixed-line-ends-the-other-way", HEADER + row(end=b"\r\n") + GOOD + row(end=b"\r\n"), loaded=3),
    Hostile("carriage-returns-alone", (HEADER + GOOD).replace(b"\n", b"\r"), refused="carriage return alone"),
    Hostile("carriage-return-in-a-row", HEADER + GOOD + row(b"a\rb") + GOOD, 2, {3: "carriage return outside quotes"}),
    Hostile("inch-marks", HEADER + row(source=b'rack 27" wide') + GOOD * 1500 + row(source=b'12" high'), loaded=1502),
    Hostile("inch-mark-once", HEADER + row(source=b'rack 27" wide') + GOOD * 3, loaded=4),
    Hostile("inch-marks-and-quoted-fields", HEADER + row(b'"a, b"', source=b'27" wide') + row(b'"c"', source=b'"5"" x 7"""'), loaded=2),
    Hostile("inch-mark-and-backslash", HEADER + row(source=b'27" \\wide') + row(source=b"\\N 5\""), loaded=2),
    Hostile("inch-mark-and-control-byte", HEADER + row(b'"a"', source=b'27" \x01') + GOOD, loaded=2),
    Hostile("quote-never-closed-before-quoted-rows", HEADER + row(b'"Prague') + GOOD * 5 + row(b'"Turin"') + GOOD, 7, {2: "never closed"}),
    Hostile("quote-never-closed-twice", HEADER + row(b'"Prague') + GOOD + row(b'"Turin') + GOOD, 2, {2: "never", 4: "never"}),
    Hostile("quote-closed-far-away", HEADER + row(source=b'"car') + GOOD * 5 + row(source=b'12",x') + GOOD, 6,
            {2: "never closed", 8: "has 6 columns"}),
    Hostile("blanks-before-quotes", (HEADER + GOOD + row(region=b"")).replace(b",", b'", "').replace(b"\n", b'"\n"')[:-1].replace(b'region', b'"region', 1),
            1, {3: "region is missing"}),
    Hostile("vertical-bars", (HEADER + GOOD).replace(b",", b"|"), loaded=1),
    Hostile("separator-line", b"sep=;\n" + (HEADER + GOOD + row(region=b"")).replace(b",", b";"), 1, {4: "region is missing"}),
    Hostile("empty-fields-beyond-the-header", HEADER + row(source=b"car,,") * 5 + row(source=b"car,,x"), 5, {7: "has 7 columns"}),
    Hostile("carriage-return-in-quotes", HEADER + row(b'"a\rb"') + row(b'"a\r\nb"') + row(b""), 2, {5: "missing"}),
    Hostile("quotes", HEADER + row(b'"Prague"') + row(b'"say ""Prague"""') + row(b'Pr"ag"ue') + row(b'""'), 3, {5: "missing"}),
    Hostile("newlines-in-quotes", HEADER + row(b'"a\nb\n"') + row(b"") + row(b'"\n\n"') + row(b""), 1,
            {5: "region is missing", 6: "region is missing", 9: "region is missing"}),
    Hostile("commas-in-quotes", HEADER + row(b'"a,b"') + row(b'"a,b'), 1, {3: "never closed"}),
    Hostile("lone-quote-never-closed", HEADER + GOOD * 5 + row(b'"Prague') + GOOD * 5, 10, {7: "never closed"}),
    Hostile("lone-quote-at-the-end", HEADER + GOOD * 5 + b'"', 5, {7: "never closed"}),
    Hostile("nul-in-a-row", HEADER + GOOD + row(b"a\0b") + GOOD, 2, {3: "NUL byte"}),
    Hostile("nul-in-quotes", HEADER + row(b'"a\0\nb"') + GOOD, 1, {2: "NUL byte"}),
    Hostile("end-of-copy-marks", HEADER + b"\\.\n" + GOOD + b"\\.\n" + GOOD + b"\\.\n", 2,
            {2: "has 1 column ", 4: "has 1 column ", 6: "has 1 column "}),
    Hostile("end-of-copy-mark-first-in-a-row", HEADER + row(b"\\.") + GOOD, loaded=2),
    Hostile("end-of-copy-mark-in-quotes", HEADER + row(b'"a\n\\.\nb"') + row(b'"\\.') .replace(b",", b'",', 1) + GOOD, loaded=3),
    Hostile("null-marks", HEADER + row(b"\\N") + row(b"NULL") + row(b"\\tripsmith never") + row(b'"\\N"'), 1,
            {2: "region is missing", 3: "region is missing: NULL", 5: "region is missing"}),
    Hostile("too-few-and-too-many-columns", HEADER + b"Prague\n" + GOOD + row(source=b"car,x") + b",,,,\n", 1,
            {2: "has 1 column ", 4: "has 6 columns", 5: "region is missing"}),
    Hostile("surrogates-and-overlong-utf-8", HEADER + row(b"\xed\xa0\x80") + row(b"\xc0\xaf") + row(b"\xf4\x90\x80\x80") + GOOD, 1,
            {2: "not UTF-8", 3: "not UTF-8", 4: "not UTF-8"}),
    Hostile("emoji", rows("region", "🚲".encode(), "京都".encode(), b"e\xcc\x81"), loaded=3),
    Hostile("latin-1-not-said", rows("region", b"K\xf6ln", b"Prague"), 1, {2: "not UTF-8 at byte 2"}),
    Hostile("latin-1-said", rows("region", b"K\xf6ln", b"Prague"), 2, options={"encoding": "latin-1"}),
    Hostile("latin-1-header-not-said", b"gr\xf6\xdfe," + HEADER + b"1," + GOOD, refused="not UTF-8 at byte 3"),
    Hostile("ascii-said-but-wrong", rows("region", b"K\xf6ln", b"Prague"), 1, {2: "not UTF-8"}, options={"encoding": "ascii"}),
    Hostile("utf-16-not-said", (HEADER + GOOD).decode().encode("utf-16"), refused="utf-16"),
    Hostile("utf-16-said", (HEADER + GOOD + row(b"")).decode().encode("utf-16"), 1, {3: "missing"}, options={"encoding": "utf-16"}),
    Hostile("utf-16-without-mark-not-said", (HEADER + GOOD).decode().encode("utf-16-le"), refused="utf-16"),
    Hostile("utf-16-cut-short", (HEADER + GOOD).decode().encode("utf-16")[:-1], refused="not utf-16", options={"encoding": "utf-16"}),
    Hostile("semicolons-with-commas-inside", (HEADER + row(b"a,b") + row(origin=b"POINT (14,4 50,1)")).replace(b",", b";", 4)
            .replace(b"a,b,", b"a,b;").replace(b"),", b");").replace(b"40,", b"40;").replace(b"Prague,", b"Prague;"), 1,
            {3: "origin_coord POINT (14,4 50,1) is not a point"}),
    Hostile("tabs", (HEADER + row(b"a,b;c")).replace(b",", b"\t").replace(b"a\tb", b"a,b"), loaded=1),
    Hostile("records-of-a-megabyte", HEADER + row(b'"' + noise(10**6) + b'"') + GOOD, 1, {2: "region is longer than"}),
    Hostile("line-of-100-megabytes", lambda: HEADER + GOOD + b"x" * 100_000_000 + b"\n" + GOOD,
            failed="Line 3 is longer than 16 MiB"),
    # Packed.
    Hostile("gzip-cut-short", gzip.compress(HEADER + GOOD * 50)[:-20], refused="damaged or cut short"),
    Hostile("gzip-cut-short-late", gzip.compress(HEADER + b"".join(row(noise(60, n)) for n in range(12_000)))[:-9],
            refused="damaged or cut short"),
    Hostile("gzip-with-a-wrong-checksum", gzip.compress(HEADER + GOOD)[:-8] + bytes(8), refused="damaged"),
    Hostile("gzip-and-garbage", gzip.compress(HEADER + GOOD) + b"garbage", refused="damaged"),
    Hostile("gzip-in-two-parts", gzip.compress(HEADER + GOOD[:9]) + gzip.compress(GOOD[9:] + row(b"")), 1, {3: "missing"}),
    Hostile("gzip-in-gzip", gzip.compress(gzip.compress(HEADER + GOOD)), refused="packed twice"),
    Hostile("gzip-of-nothing", gzip.compress(b""), refused="empty"),
    Hostile("bzip2", bz2.compress(HEADER + GOOD), loaded=1),
    Hostile("zstd-in-two-frames", zstd(HEADER + GOOD[:9], GOOD[9:] + row(b"")), 1, {3: "missing"}),
    Hostile("zstd-cut-short", zstd(HEADER + noise(9000) + b"\n" + GOOD * 50)[:-3], refused="damaged or cut short"),
    Hostile("zstd-cut-short-in-the-second-frame", zstd(HEADER + GOOD, noise(9000) + b"\n")[:-500], refused="damaged or cut short"),
    Hostile("zip-cut-short", zipped(HEADER + GOOD)[:-9], refused="damaged or cut short"),
    Hostile("zip-without-csv", without_csv(), refused="no .csv file"),
    Hostile("zip-of-two-files", zipped(HEADER + GOOD + row(b"").rstrip(), HEADER + GOOD + row(b"")), 2, {3: "missing", 6: "missing"}),
    Hostile("zip-of-two-headers", zipped(HEADER + GOOD, b"a,b\n1,2\n"), refused="another header"),
    # Places.
    Hostile("latitude-as-longitude", rows("origin", b"POINT (22.3 114.2)", b"POINT (-33.9 151.2)"), 0,
            {2: "origin_coord: latitude 114.2 is not between", 3: "latitude 151.2"}),
    Hostile("places-out-of-range", rows("destination", b"POINT (180.001 5)", b"POINT (-181 5)", b"POINT (5 90.01)"), 0,
            {2: "destination_coord: longitude 180.001", 3: "longitude -181", 4: "latitude 90.01"}),
    Hostile("places-at-the-edge", rows("origin", b"POINT (180 90)", b"POINT (-180 -90)", b"POINT (-0 -0)"), loaded=3),
    Hostile("places-in-scientific-notation", rows("origin", b"POINT (1.44e1 5.01E+1)", b"POINT (144e-1 .5e2)"), loaded=2),
    Hostile("places-spelt-freely", rows("origin", b"POINT(14.4 50.1)", b"point (14.4 50.1)", b"  Point  ( 14.4   50.1 ) "), 3),
    Hostile("places-not-finite", rows("origin", b"POINT (NaN NaN)", b"POINT (infinity 5)", b"POINT (+inf 5)", b"POINT (5 -Infinity)",
            b"POINT (1e400 5)"), 0, {2: "latitude NaN", 3: "longitude Inf", 4: "longitude Inf", 5: "latitude -Inf", 6: "not a point"}),
    Hostile("places-empty", rows("origin", b"", b" ", b"POINT EMPTY", b"point  empty", b"EMPTY", b"POINT ()", b"POINT (14.4)"), 0,
            {2: "origin_coord is missing", 3: "is missing", 4: "is an empty point", 5: "is an empty point", 6: "not a point",
             7: "not a point", 8: "not a point"}),
    Hostile("places-with-more-than-two-numbers", rows("origin", b"POINT (14 50 200)", b"POINT Z (14 50 200)", b"POINT M (14 50 2)"),
            0, {2: "not a point", 3: "not a point", 4: "not a point"}),
    Hostile("places-of-other-kinds", rows("origin", b"LINESTRING (14 50)", b"SRID=4326;POINT (14 50)", b"POINT ((14 50))",
            b'"(14.4,50.1)"', b"14.4 50.1", b"POINT (14 50", b"POINT (14 50) x", b"POINT (a b)"), 0,
            dict.fromkeys(range(2, 10), "origin_coord")),
    Hostile("places-in-hexadecimal", rows("origin", b"POINT (0x10 0x20)", b"POINT (0x1p4 50)"), loaded=2),
    Hostile("places-with-commas", rows("origin", b'"POINT (14,50)"', b'"POINT (14 , 50)"', b'"POINT (14,,50)"'), 2, {4: "not a point"}),
    # Times.
    Hostile("times-that-are-words", rows("time", b"now", b"today", b"infinity", b"-infinity", b"epoch", b"NaN", b"", b"now 09:03:40"), 0,
            dict.fromkeys(range(2, 10), "datetime")),
    Hostile("times-that-are-not", rows("time", b"0000-01-01 00:00:00", b"2018-02-29 08:00:00", b"2018-02-30 08:00:00",
            b"2018-13-01 08:00:00", b"2018-05-28 25:00:00", b"2018-05-28 08:61:00", b"2018-05-28 24:00:01"), 0,
            dict.fromkeys(range(2, 9), "is not a date and time")),
    Hostile("times-at-the-edge", rows("time", b"0001-01-01 00:00:00", b"9999-12-31 23:59:59", b"2020-02-29 08:00:00",
            b"2018-12-31 24:00:00", b"1969-12-31 23:59:59"), loaded=5),
    Hostile("times-after-the-year-9999", rows("time", b"9999-12-31 24:00:00", b"10000-01-01 00:00:00", b"9999-12-31 23:59:60"), 0,
            dict.fromkeys(range(2, 5), "is not a date and time")),
    Hostile("times-that-only-look-the-part", rows("time", b" May-05-28 09:03:40", b"  05-05-28 09:03:40", b"05-2-1999 09:03:40",
            b"+018-05-28 09:03:40", b"J245-12-01 09:03:40", b"2018-05-28 09:03:PM"), 0,
            dict.fromkeys(range(2, 8), "is not a date and time")),
    Hostile("times-in-other-orders", rows("time", b"28.05.2018 09:03:40", b"05/28/2018 09:03:40", b"28-05-2018 09:03:40",
            b"1527498220", b"Mon May 28 09:03:40 2018"), 0, dict.fromkeys(range(2, 7), "is not a date and time")),
    Hostile("times-without-hours", rows("time", b"2018-05-28", b" 2018-05-28 "), 0, {2: "no time of day", 3: "no time of day"}),
    Hostile("times-with-zones", rows("time", b"2018-05-28T09:03:40Z", b"2018-05-28 09:03:40+02", b"2018-05-28T09:03:40.25-05:30",
            b"2018-05-28 09:03+0545", b"2018-05-28 09:03Z", b"2018-05-28T09:03+02"), loaded=6),
    Hostile("times-with-zones-that-are-not", rows("time", b"2018-05-28 09:03:40 CEST", b"2018-05-28 09:03:40+99:99",
            b"2018-05-28 09:03:40 Europe/Prague"), 0, {2: "not a date", 3: "not a date", 4: "not a date"}),
    # Names.
    Hostile("regions-missing", rows("region", b"", b"  ", b'""', "\u00a0".encode(), b"Prague"), 1,
            dict.fromkeys(range(2, 6), "region is missing")),
    Hostile("sources-missing", rows("source", b"", b"  ", b"car"), 1, {2: "datasource is missing", 3: "datasource is missing"}),
    Hostile("regions-too-long", rows("region", noise(200), noise(3000), noise(100_000), b"a" * 100_000), 1,
            {3: "region is longer than", 4: "region is longer than", 5: "region is longer than"}),
    Hostile("sources-too-long", rows("source", noise(200), noise(3000)), 1, {3: "datasource is longer than"}),
    Hostile("regions-that-are-sql", rows("region", b"'); DROP TABLE silver.trip; --", b"%s %(id)s {rows}", b"$$; SELECT 1", b"\\'"), 4),
    Hostile("regions-by-the-thousand", rows("region", *(b"r%d" % n for n in range(5000))), loaded=5000),
    Hostile("everything-wrong-at-once", HEADER + row(b"", b"x", b"POINT (1 91)", b"y", b""), 0, {2: "region is missing"}),
]  # fmt: skip


@pytest.mark.both_servers
@pytest.mark.parametrize("hostile", ALL, ids=lambda hostile: hostile.file_name)
def test_ends_as_its_name_says(warehouse, ingest, tmp_path, hostile):
    content = hostile.content() if callable(hostile.content) else hostile.content
    if hostile.refused:
        (tmp_path / hostile.file_name).write_bytes(content)
        with warehouse.connect() as connection:
            with pytest.raises(BadFileError) as refusal:
                submit(connection, tmp_path / hostile.file_name, hostile.file_name, Options(**hostile.options))
            assert re.search(hostile.refused, str(refusal.value))
            assert connection.execute("SELECT count(*) FROM ops.ingestion").fetchone() == (0,)
        return
    ended = ingest(content, hostile.file_name, **hostile.options)
    with warehouse.connect() as connection:
        if hostile.failed:
            assert ended.state == "failed"
            assert re.search(hostile.failed, ended.error)
            assert connection.execute("SELECT count(*) FROM silver.trip").fetchone() == (0,)
            return
        if hostile.loaded:
            assert (ended.state, ended.error) == ("succeeded", None)
        else:
            assert ended.state == "failed"
            assert "loaded" in ended.error
        reasons = {line: "; ".join(reasons) for line, _, reasons in rejected(connection, ended.id)}
        assert {line: hostile.rejected.get(line, "") in reason for line, reason in reasons.items()} == dict.fromkeys(
            hostile.rejected, True
        ), reasons
        assert (ended.rows_loaded, ended.rows_rejected) == (hostile.loaded, len(hostile.rejected))
        if content.startswith(HEADER[:6]) and not hostile.options:  # neither packed nor encoded
            assert all(record in content for _, record, _ in rejected(connection, ended.id))
        if hostile.loaded:
            check_sums(connection, ended.id)
        list_regions(connection)  # dates that Python does not hold would break every answer


@pytest.mark.parametrize("pack", [gzip.compress, zstd, zipped])
def test_a_file_that_unpacks_to_fill_the_disk_is_refused(ingest, monkeypatch, pack):
    monkeypatch.setattr(packing, "SURELY_HARMLESS_BYTES", 2 << 20)
    with pytest.raises(BadFileError, match="unpacks to more than 250 times its size"):
        ingest(pack(HEADER + GOOD * 60_000))


@pytest.mark.parametrize("is_whole", [True, False])
def test_no_unpacked_copy_is_left(ingest, tmp_path, monkeypatch, is_whole):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    packed = gzip.compress(HEADER + b"".join(row(b"r%d" % (n % 9)) for n in range(60_000)))
    with nullcontext() if is_whole else pytest.raises(BadFileError, match="cut short"):
        ingest(packed if is_whole else packed[:-9])
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.both_servers
def test_line_numbers_are_physical_lines(warehouse, ingest):
    ended = ingest(HEADER + row(b'"a\nb"') + b"\n\n" + GOOD + row(b"") + row(b'"c\r\nd\n"') + b"x\n" + GOOD.rstrip())
    with warehouse.connect() as connection:
        lines = [line for (line,) in connection.execute("SELECT line FROM silver.trip ORDER BY line")]
        assert [line for line, *_ in bronze_rows(connection, ended.id)] == [2, 6, 7, 8, 12]
        assert [line for line, *_ in rejected(connection, ended.id)] == [7, 11]
    assert lines == [2, 6, 8, 12]


def test_every_reason_is_told_and_the_record_kept(warehouse, ingest):
    record = row(b"", b"x,y", b"POINT (1 91)", b"y", b'"say ""no"""').replace(b"x,y", b'"x,y"')
    ended = ingest(HEADER + record)
    with warehouse.connect() as connection:
        assert rejected(connection, ended.id) == [
            (
                2,
                record.rstrip(),
                [
                    "region is missing",
                    "origin_coord x,y is not a point such as POINT (14.42 50.08)",
                    "destination_coord: latitude 91 is not between -90 and 90",
                    "datetime y is not a date and time such as 2018-05-28 09:03:40",
                ],
            )
        ]


def test_rejected_rows_are_verbatim_whatever_their_quotes(warehouse, ingest):
    bad = [
        b'"Prague",POINT (14 50),"POINT (14 50)","9 o""clock, say",car',
        b'Pr"ag"ue,POINT (14 95),POINT (14 50),2018-05-28 09:03:40,"car"',
        b'"a\nb","POINT (14 95)",POINT (14 50),2018-05-28 09:03:40,""',
        b"Prague,POINT (14 95),POINT (14 50),2018-05-28 09:03:40,car",
    ]
    ended = ingest(HEADER + GOOD + b"\r\n".join(bad) + b"\r\n" + GOOD)
    with warehouse.connect() as connection:
        assert [record for _, record, _ in rejected(connection, ended.id)] == bad
    assert ended.rows_loaded == 2


def test_malformed_records_are_kept_byte_for_byte(warehouse, ingest):
    broken = [b"K\xf6ln,\x00", b"a,b\rc", b'"x\n\xff"']
    ended = ingest(HEADER + GOOD + b"\r\n".join(broken) + b"\n")
    with warehouse.connect() as connection:
        kept = connection.execute("SELECT line, record FROM bronze.malformed_line ORDER BY line").fetchall()
        assert [(line, record) for line, record, _ in rejected(connection, ended.id)] == kept
    assert kept == list(zip([3, 4, 5], broken, strict=True))


def test_bronze_keeps_values_as_they_are_under_names_that_are_mapped(warehouse, ingest):
    ended = ingest(b"ctid,,Note," + HEADER + b' 1 ,"a ""b""\n",\\N,' + row(b"  prague", time=b"2018-05-28T09:03:40Z"))
    with warehouse.connect() as connection:
        (columns, names) = connection.execute("SELECT columns, column_names FROM ops.header").fetchone()
        stored = bronze_rows(connection, ended.id)
    assert columns[:3] == ["ctid", "", "Note"]
    assert names[:3] == ["ctid_", "column_2", "Note"]
    assert stored == [
        (
            2,
            " 1 ",
            'a "b"\n',
            "\\N",
            "  prague",
            "POINT (14.4 50.1)",
            "POINT (14.5 50.0)",
            "2018-05-28T09:03:40Z",
            "car",
        )
    ]


@pytest.mark.both_servers
def test_times_are_local_and_their_offset_is_kept(warehouse, ingest):
    times = {
        b"2018-05-28T09:03:40Z": ("2018-05-28 09:03:40", 0),
        b"2018-05-28 09:03:40+02": ("2018-05-28 09:03:40", 120),
        b"2018-05-28T09:03:40.25-05:30": ("2018-05-28 09:03:40.25", -330),
        b"2018-05-28 09:03+0545": ("2018-05-28 09:03:00", 345),
        b"2018-05-28 09:03Z": ("2018-05-28 09:03:00", 0),
        b"2018-05-28T09:03+02": ("2018-05-28 09:03:00", 120),
        b"2018-05-28 9:03:40": ("2018-05-28 09:03:40", None),
        b"2018-12-31 24:00:00": ("2019-01-01 00:00:00", None),
    }
    ingest(rows("time", *times))
    with warehouse.connect() as connection:
        found = connection.execute(
            "SELECT started_at::text, utc_offset_minutes FROM silver.trip ORDER BY line"
        ).fetchall()
    assert dict(zip(times, found, strict=True)) == times


@pytest.mark.both_servers
def test_regions_are_compared_without_case_and_shown_as_first_seen(warehouse, ingest):
    names = ["São Paulo", " SÃO  PAULO ", "são paulo", "Weiße Straße", "WEISSE STRASSE", "ÅRHUS", "århus"]
    ingest(rows("region", *(name.encode() for name in names)))
    with warehouse.connect() as connection:
        found = {(region.name, region.trips) for region in list_regions(connection)}
    assert found == {("São Paulo", 3), ("Weiße Straße", 2), ("ÅRHUS", 2)}


@pytest.mark.parametrize("name", ["", "missing.csv"])
def test_a_folder_and_a_missing_file_are_refused(warehouse, tmp_path, name):
    with warehouse.connect() as connection, pytest.raises(BadFileError, match=r"is a folder|There is no file"):
        submit(connection, tmp_path / name, "trips.csv")


def test_a_file_name_that_is_not_utf_8_is_refused(warehouse, tmp_path):
    path = tmp_path / "tr\udcffps.csv"
    path.write_bytes(HEADER + GOOD)
    with warehouse.connect() as connection, pytest.raises(BadFileError, match="name"):
        submit(connection, path, path.name)


def test_a_file_that_changed_since_it_was_submitted_fails(warehouse, tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(HEADER + GOOD)
    with warehouse.connect() as connection:
        submit(connection, path, path.name)
    path.write_bytes(HEADER + row(b"Turin!"))
    ended = run_ingestion(warehouse, 1)
    assert (ended.state, "changed since it was submitted" in ended.error) == ("failed", True)
