"""Packed files: known by what is in them, read to the last member, and their rejections placed within the member."""

import bz2
import gzip
import io
import lzma
import tarfile
import threading
import zipfile

import pytest
import zstandard
from contents import check_sums

from tripsmith.ingestion import progress, run
from tripsmith.ingestion.ingestion import IngestionConflictError, get_ingestion
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import BadFileError, Options, cancel, rejections, remove, retry, submit
from tripsmith.sample.generator import write_sample
from tripsmith.sources import chunks

HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"


def month(number: int, rows: int = 20, bad_line: int = 0) -> bytes:
    """Return a CSV of trips in one month; the row on `bad_line` has no region."""
    lines = [
        b"%s,POINT (14.%d 50.1),POINT (14.5 50.0),2019-%02d-%02d %02d:%02d:00,car"
        % (b"" if line == bad_line else b"Prague", line, number, line % 28 + 1, line % 24, line % 60)
        for line in range(2, rows + 2)
    ]
    return HEADER + b"\n".join(lines) + b"\n"


def sample(rows: int, seed: int = 1) -> bytes:
    file = io.BytesIO()
    write_sample(file, rows, seed)
    return file.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def tar_gz(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def notes(ingestion) -> dict[str, dict]:
    return {note["code"]: note for note in ingestion.notes}


PACKINGS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": lambda data: zipped(("jan.csv", data)),
    "tar": lambda data: tar_gz(("folder/jan.csv", data)),
    "zip in zip": lambda data: zipped(("jan.zip", zipped(("jan.csv", data)))),
}


@pytest.mark.parametrize("first", PACKINGS)
def test_a_file_is_known_whatever_it_is_packed_in(warehouse, ingest, tmp_path, first):
    begun = ingest(PACKINGS[first](month(1)), "first")
    assert (begun.state, begun.rows_loaded) == ("succeeded", 20)
    with warehouse.connect() as connection:
        for name, pack in PACKINGS.items():
            path = tmp_path / f"again {name}"
            path.write_bytes(pack(month(1)))
            again = submit(connection, path, path.name)
            assert (again.is_new, again.ingestion) == (False, begun), name
            with pytest.raises(IngestionConflictError, match="ingestion 1 already"):
                submit(connection, path, path.name, Options(override_datasource="bus"))
        check_sums(connection, begun.id)
        remove(connection, begun.id)
    assert ingest(PACKINGS[first](month(1)), "first").id == "2"


@pytest.mark.parametrize("pack", [zipped, tar_gz])
def test_a_member_twice_is_loaded_once_and_named(warehouse, ingest, pack):
    ended = ingest(pack(("jan.csv", month(1)), ("feb.csv", month(2)), ("copy/jan.csv", month(1))), "year")
    assert (ended.state, ended.rows_loaded) == ("succeeded", 40)
    assert notes(ended)["duplicate_member"]["members"] == ["copy/jan.csv"]
    assert "copy/jan.csv is a copy of jan.csv" in notes(ended)["duplicate_member"]["message"]
    with warehouse.connect() as connection:
        check_sums(connection, ended.id)


def test_what_may_be_data_and_is_left_out_is_named(ingest):
    members = [("empty.csv", b""), (".hidden.csv", month(3)), ("__MACOSX/._jan.csv", b"x"), (".DS_Store", b"x")]
    ended = ingest(zipped(("jan.csv", month(1)), ("rows.parquet", b"PAR1"), ("none.csv", HEADER), *members), "year.zip")
    assert (ended.state, ended.rows_loaded) == ("succeeded", 20)
    assert set(notes(ended)["skipped_member"]["members"]) == {"empty.csv", ".hidden.csv", "rows.parquet", "none.csv"}


def test_a_quote_that_one_member_leaves_open_costs_no_row_of_another(warehouse, ingest):
    opened = month(1).removesuffix(b",car\n") + b',"car\n'
    ended = ingest(zipped(("jan.csv", opened), ("feb.csv", month(2) + month(3)[len(HEADER) :] + b'"\n')), "months.zip")
    assert (ended.rows_read, ended.rows_loaded, ended.rows_rejected) == (61, 59, 2)
    with warehouse.connect() as connection:
        found = [(row.file, row.line, row.reasons) for row in rejections(connection, ended.id)]
    assert [(file, line) for file, line, _ in found] == [("jan.csv", 21), ("feb.csv", 42)]
    assert all(reasons == ["has a quote that opens a field and is never closed"] for _, _, reasons in found)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(("jan.csv", data))], ids=["gzip", "zip"])
def test_blank_lines_alone_are_no_rows_however_many(ingest, pack):
    with pytest.raises(BadFileError, match="header and no rows"):
        ingest(pack(HEADER + b"\n" * (2 << 20)), "jan")


def test_a_member_that_the_warehouse_has_is_left_out_and_named(warehouse, ingest, tmp_path):
    jan = ingest(month(1), "jan.csv")
    archive = zipped(("jan.csv", month(1)), ("feb.csv", month(2, bad_line=5)), ("mar.csv", month(3, bad_line=8)))
    ended = ingest(archive, "year.zip")
    assert (ended.id, ended.rows_loaded, ended.rows_rejected) == ("2", 38, 2)
    assert (notes(ended)["known_member"]["members"], notes(ended)["known_member"]["ingestions"]) == (["jan.csv"], ["1"])
    with warehouse.connect() as connection:
        assert [(row.file, row.line) for row in rejections(connection, "2")] == [("feb.csv", 5), ("mar.csv", 8)]
        check_sums(connection, "2")
        again = submit(connection, tmp_path / "year.zip", "year.zip")
        assert (again.is_new, again.where) == (False, "ingestions 1 and 2")
        remove(connection, jan.id)
    # The same bytes again: the member that was removed is new, the others are not.
    third = ingest(archive, "year.zip")
    assert (third.id, third.rows_loaded, notes(third)["known_member"]["ingestions"]) == ("3", 20, ["2"])


def test_a_single_file_that_an_archive_has_is_known(warehouse, ingest, tmp_path):
    year = ingest(zipped(("jan.csv", month(1)), ("feb.csv", month(2))), "year.zip")
    (tmp_path / "feb.csv.gz").write_bytes(gzip.compress(month(2)))
    with warehouse.connect() as connection:
        sent = submit(connection, tmp_path / "feb.csv.gz", "feb.csv.gz")
    assert (sent.is_new, sent.ingestion) == (False, year)


def test_rejections_name_the_member_and_its_own_line_also_after_a_rebuild(warehouse, ingest):
    header = b'region,"a, b",origin_coord,destination_coord,datetime,datasource\n'
    good = b'Prague,"\n",POINT (14.4 50.1),POINT (14.5 50.0),2019-01-%02d 08:00:00,car\n'
    bad = b",,POINT (14.4 50.1),POINT (14.5 50.0),2019-01-01 08:00:00,car\n"
    first, second = header + good % 1 + bad + good % 2, header + bad + good % 3 + b"x\n" + good % 4
    ended = ingest(zipped(("1.csv", first.rstrip()), ("2.csv", second)), "two.zip")
    assert (ended.rows_loaded, ended.rows_rejected) == (4, 3)
    with warehouse.connect() as connection:
        expected = [("1.csv", 4), ("2.csv", 2), ("2.csv", 5)]
        assert [(row.file, row.line) for row in rejections(connection, ended.id)] == expected
        list(rebuild(warehouse, "silver"))
        assert [(row.file, row.line) for row in rejections(connection, ended.id)] == expected
        plain = ingest(month(5, bad_line=7), "may.csv")
        assert [(row.file, row.line) for row in rejections(connection, plain.id)] == [("", 7)]


@pytest.mark.parametrize("others", ["gzip", "zip", "plain"])
def test_a_cancelled_ingestion_goes_on_with_another_packing(warehouse, ingest, tmp_path, monkeypatch, others):
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)
    monkeypatch.setattr(run, "LANES", 2)
    for module in (run, progress):
        monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.01)  # so that it is stopped after its first chunk
    content = sample(60_000)
    path, other = tmp_path / "trips.csv.bz2", tmp_path / "other"
    path.write_bytes(bz2.compress(content))
    other.write_bytes(PACKINGS[others](content))
    with warehouse.connect() as connection:
        sent = submit(connection, path, path.name)

        def stop(ingestion):
            if ingestion.rows_read and not ingestion.is_finished:
                cancel(connection, ingestion.id)

        stopped = run_ingestion(warehouse, int(sent.ingestion.id), stop)
        assert stopped.state == "cancelled"
        assert 0 < stopped.rows_read < 60_000
        path.unlink()
        again = submit(connection, other, "other")
        assert (again.is_new, again.has_file, again.ingestion.id) == (True, True, sent.ingestion.id)
        ended = run_ingestion(warehouse, int(sent.ingestion.id))
        assert (ended.state, ended.rows_loaded, ended.bytes_total) == ("succeeded", 60_000, other.stat().st_size)
        check_sums(connection, ended.id)


def test_what_failed_does_not_keep_its_members_from_others(warehouse, ingest, tmp_path):
    path = tmp_path / "year.zip"
    path.write_bytes(zipped(("jan.csv", month(1)), ("feb.csv", month(2))))
    with warehouse.connect() as connection:
        year = submit(connection, path, path.name)
        cancel(connection, year.ingestion.id)
        jan = ingest(month(1), "jan.csv")
        assert (jan.id, jan.state) == ("2", "succeeded")
        with pytest.raises(IngestionConflictError, match=r"jan\.csv of ingestion 1 is in ingestion 2 by now; remove"):
            retry(connection, year.ingestion.id)
        again = submit(connection, path, path.name)
        assert (again.is_new, again.ingestion.id) == (True, "3")
        ended = run_ingestion(warehouse, 3)
        assert (ended.rows_loaded, notes(ended)["known_member"]["ingestions"]) == (20, ["2"])
        assert connection.execute("SELECT count(*) FROM silver.trip").fetchone() == (40,)


def test_packings_sent_at_once_are_loaded_once(warehouse, tmp_path):
    members = [("jan.csv", month(1)), ("feb.csv", month(2)), ("mar.csv", month(3))]
    files = [zipped(*members), tar_gz(*reversed(members)), *(gzip.compress(data) for _, data in members), month(2)]
    start, errors = threading.Barrier(len(files)), []

    def send(number: int, content: bytes) -> None:
        path = tmp_path / str(number)
        path.write_bytes(content)
        try:
            with warehouse.connect() as connection:
                start.wait()
                sent = submit(connection, path, path.name)
            run_ingestion(warehouse, int(sent.ingestion.id))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=send, args=item) for item in enumerate(files)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT started_at) FROM silver.trip").fetchone()[0] == 60
        assert connection.execute("SELECT count(*) FROM ops.member WHERE holds").fetchone() == (3,)


def test_members_of_other_headers_are_refused_and_those_of_other_case_are_read(ingest):
    other_case = b" Region ,ORIGIN_COORD,destination_coord,datetime,datasource\r\n" + month(2).split(b"\n", 1)[1]
    assert ingest(zipped(("jan.csv", month(1)), ("feb.csv", other_case)), "case.zip").rows_loaded == 40
    with pytest.raises(BadFileError, match=r"feb\.csv has another header than jan\.csv"):
        ingest(zipped(("jan.csv", month(3)), ("feb.csv", b"a,b\n1,2\n")), "other.zip")


def test_content_that_came_before_members_were_kept_is_known_by_its_bytes(warehouse, ingest, tmp_path):
    content = zipped(("jan.csv", month(1)), ("feb.csv", month(2)))
    first = ingest(content, "year.zip")
    with warehouse.connect() as connection:
        connection.execute("DELETE FROM ops.member")
        connection.execute(
            "INSERT INTO ops.member (ingestion_id, number, name, sha256, first_line, holds)"
            " SELECT id, 0, '', sha256, 1, true FROM ops.ingestion"
        )
        assert not submit(connection, tmp_path / "year.zip", "year.zip").is_new
        connection.execute("UPDATE ops.ingestion SET state = 'cancelled', rows_read = 0, rows_loaded = 0")
        assert submit(connection, tmp_path / "year.zip", "year.zip").ingestion.id == first.id
        assert get_ingestion(connection, first.id).state == "queued"
