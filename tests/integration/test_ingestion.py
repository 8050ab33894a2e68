"""Files through all layers, compared with what other means make of them."""

import gzip
import io
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest
import quadbin
from contents import bronze_rows, check_sums, checksums, gold_differences, rejected

from tripsmith.answers.errors import UnknownRegionError
from tripsmith.answers.grouping import GroupQuestion
from tripsmith.answers.metrics import trip_metrics
from tripsmith.answers.selection import Selection
from tripsmith.answers.trip_groups import trip_groups
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.geometry.shape import BoundingBox, parse_bbox
from tripsmith.ingestion.ingestion import IngestionConflictError, get_ingestion
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import Options, cancel, rejections, remove, retry, submit
from tripsmith.sample.generator import write_sample
from tripsmith.sources import chunks

DATA = Path(__file__).parents[3] / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real files are not here: {DATA}")
both_servers = pytest.mark.both_servers


def sample(rows: int, seed: int = 1, invalid_every: int = 0) -> bytes:
    file = io.BytesIO()
    write_sample(file, rows, seed, invalid_every=invalid_every)
    return file.getvalue()


def count(warehouse, table: str) -> int:
    with warehouse.connect() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def everything(warehouse, *ids: str) -> list[dict[str, tuple[int, str]]]:
    with warehouse.connect() as connection:
        return [checksums(connection, ingestion_id) for ingestion_id in ids]


@pytest.fixture
def small_chunks(monkeypatch):
    """A file of some megabytes is then many chunks, and has a lot of its own."""
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)


@needs_data
@both_servers
def test_the_figures_of_the_hundred_trips(warehouse, ingest):
    ended = ingest(DATA / "trips.csv")
    assert (ended.state, ended.rows_read, ended.rows_loaded, ended.rows_rejected) == ("succeeded", 100, 100, 0)
    weeks = {"Prague": [10, 8, 8, 5, 3], "Turin": [8, 6, 6, 14, 4], "Hamburg": [5, 6, 5, 7, 5]}
    box = parse_bbox("14.4,50.0,14.6,50.1")
    with warehouse.connect() as connection:
        check_sums(connection, ended.id)
        for region, counts in weeks.items():
            answer = weekly_average(connection, Selection(region=region.upper()))
            assert answer.selection.region == region
            assert answer.series == tuple((date(2018, 4, 30) + timedelta(7 * n), c) for n, c in enumerate(counts))
            assert answer.average == sum(counts) / 5
        origins = weekly_average(connection, Selection(shape=box))
        assert ([trips for _, trips in origins.series], origins.average) == ([6, 3, 0, 0, 2], 2.2)
        assert (origins.whole_weeks.weeks, origins.whole_weeks.trips) == (3, 3)
        for match, trips in {"destination": 18, "both": 8, "either": 11 + 18 - 8}.items():
            assert weekly_average(connection, Selection(shape=box, match=match)).trips == trips
        metrics = trip_metrics(connection)
    latest = {region.name: (region.latest_datasource, region.last_trip) for region in metrics.regions}
    assert latest == {
        "Hamburg": ("baba_car", datetime(2018, 5, 31, 11, 59, 33)),
        "Turin": ("pt_search_app", datetime(2018, 5, 31, 6, 20, 59)),
        "Prague": ("cheap_mobile", datetime(2018, 5, 29, 12, 44, 2)),
    }
    assert {source.name: source.regions for source in metrics.datasources}["cheap_mobile"] == [
        "Hamburg",
        "Prague",
        "Turin",
    ]


@both_servers
def test_layers_and_answers_equal_a_count_by_other_means(warehouse, ingest, tmp_path, small_chunks):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(200_000, seed=7, invalid_every=101))
    ended = ingest(path)
    assert (ended.state, ended.rows_read, ended.rows_rejected) == ("succeeded", 200_000, 200_000 // 101)
    duck = by_duckdb(path)
    with warehouse.connect() as connection:
        check_sums(connection, ended.id)
        silver = connection.execute(
            """SELECT line, region.name, started_at, origin_longitude, origin_latitude, destination_longitude,
                      destination_latitude, datasource.name
               FROM silver.trip JOIN silver.region ON region.id = region_id
               JOIN silver.datasource ON datasource.id = datasource_id ORDER BY line"""
        ).fetchall()
        assert silver == duck.sql("SELECT * FROM trip ORDER BY line").fetchall()
        assert [line for line, *_ in rejected(connection, ended.id)] == list(range(102, 200_002, 101))
        lines = path.read_bytes().split(b"\n")
        assert all(record == lines[line - 1] for line, record, _ in rejected(connection, ended.id))
        assert [row.line for row in rejections(connection, ended.id)] == list(range(102, 200_002, 101))
        compare_weeks(connection, duck)
        compare_groups(connection, silver)


def by_duckdb(path: Path) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect(config={"threads": 2})
    duck.execute(
        """
        CREATE TABLE field AS
        SELECT row_number() OVER () + 1 AS line, string_split(row, ',') AS f
        FROM read_csv(?, columns={'row': 'VARCHAR'}, delim='\x01', quote='', header=true, parallel=false)""",
        [str(path)],
    )
    point = r"^POINT \((\S+) (\S+)\)$"
    duck.execute(
        f"""
        CREATE TABLE trip AS
        SELECT line, f[1] AS region, try_cast(f[4] AS TIMESTAMP) AS started_at,
               try_cast(regexp_extract(f[2], '{point}', 1) AS DOUBLE) AS origin_x,
               try_cast(regexp_extract(f[2], '{point}', 2) AS DOUBLE) AS origin_y,
               try_cast(regexp_extract(f[3], '{point}', 1) AS DOUBLE) AS destination_x,
               try_cast(regexp_extract(f[3], '{point}', 2) AS DOUBLE) AS destination_y, f[5] AS source
        FROM field
        WHERE len(f) = 5 AND f[1] <> '' AND started_at IS NOT NULL AND abs(origin_x) <= 180 AND abs(origin_y) <= 90
          AND abs(destination_x) <= 180 AND abs(destination_y) <= 90"""
    )
    return duck


def compare_weeks(connection: psycopg.Connection, duck: duckdb.DuckDBPyConnection) -> None:
    regions = [name for (name,) in duck.sql("SELECT DISTINCT region FROM trip ORDER BY 1").fetchall()]
    ((x, y),) = duck.sql("SELECT median(origin_x), median(origin_y) FROM trip WHERE region = 'Prague'").fetchall()
    boxes = [None, (x - 0.02, y - 0.01, x + 0.02, y + 0.01), (-10, 35, 25, 60), (10, -90, -10, 90), (0, 0, 0, 0)]
    spans = [(None, None), (date(2018, 3, 7), date(2018, 4, 4)), (date(2018, 6, 1), None), (None, date(2018, 1, 14))]
    ends = {end: f"{{inside}}({end}_x, {end}_y)" for end in ("origin", "destination")}
    ends |= {
        "both": f"{ends['origin']} AND {ends['destination']}",
        "either": f"({ends['origin']} OR {ends['destination']})",
    }
    asked = 0
    for box in boxes:
        if box is None:
            duck.execute("CREATE OR REPLACE MACRO inside(x, y) AS true")
        else:
            west, south, east, north = box
            across = "AND" if west <= east else "OR"
            duck.execute(
                f"CREATE OR REPLACE MACRO inside(x, y) AS"
                f" (x >= {west} {across} x <= {east}) AND y BETWEEN {south} AND {north}"
            )
        for match in ends if box else ["origin"]:
            for region in [None, regions[0], regions[-1]]:
                for start, end in spans:
                    bbox = BoundingBox(*box) if box else None
                    asked_for = Selection(region=region, shape=bbox, match=match, start=start, end=end)
                    answer = weekly_average(connection, asked_for)
                    inside = ends[match].format(inside="inside")
                    days = duck.execute(
                        f"""SELECT started_at::date, count(*) FROM trip
                            WHERE {inside} AND ($region IS NULL OR region = $region)
                              AND ($from IS NULL OR started_at::date >= $from)
                              AND ($to IS NULL OR started_at::date <= $to)
                            GROUP BY 1""",
                        {"region": region, "from": start, "to": end},
                    ).fetchall()
                    covered = duck.execute(
                        "SELECT min(started_at)::date, max(started_at)::date FROM trip WHERE $1 IS NULL OR region = $1",
                        [region],
                    ).fetchone()
                    assert covered is not None
                    expected = tuple(weeks_of(days, start or covered[0], end or covered[1]))
                    assert answer.series == expected, (box, match, region, start, end)
                    assert answer.average == (answer.trips / answer.weeks if answer.weeks else 0)
                    asked += bool(days)
    assert asked > 50  # most boxes have trips, or this compares nothing with nothing


def weeks_of(days: list[tuple[date, int]], first: date, last: date) -> list[tuple[date, int]]:
    """Return every week of a span with its trips."""
    trips: Counter[date] = Counter()
    for day, number in days:
        trips[day - timedelta(day.weekday())] += number
    monday, weeks = first - timedelta(first.weekday()), []
    while monday <= last:
        weeks.append((monday, trips[monday]))
        monday += timedelta(7)
    return weeks


def compare_groups(connection: psycopg.Connection, silver: list[tuple]) -> None:
    for zoom, region in ((14, None), (12, "Prague"), (17, "Prague")):
        groups: Counter[tuple[int, int, int]] = Counter(
            (
                quadbin.point_to_cell(origin_x, origin_y, zoom),
                quadbin.point_to_cell(destination_x, destination_y, zoom),
                started_at.hour,
            )
            for _, name, started_at, origin_x, origin_y, destination_x, destination_y, _ in silver
            if region in (None, name)
        )
        found: dict[tuple[int, int, int], int] = {}
        cursor, told = None, []
        for _ in range(3):
            page = trip_groups(
                connection,
                GroupQuestion(selection=Selection(region=region), zoom=zoom),
                limit=1000,
                cursor=cursor,
            )
            told += [group.trips for group in page.groups]
            found |= {(g.origin_cell, g.destination_cell, g.hour): g.trips for g in page.groups}
            cursor = page.next
            if cursor is None:
                break
        # Groups of as many trips may come in any order, but each once.
        assert told == sorted(groups.values(), reverse=True)[:3000]
        assert len(found) == len(told)
        assert found == {key: groups[key] for key in found}
        assert (cursor is None) == (len(found) == len(groups))


def test_the_gold_of_a_million_trips_equals_a_grouping_of_the_csv(warehouse, ingest, tmp_path):
    path = tmp_path / "million.csv"
    path.write_bytes(sample(1_000_000, seed=11))
    assert ingest(path).rows_loaded == 1_000_000
    duck = by_duckdb(path)
    # The tile of a point, from the definition: https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames
    duck.execute(
        """CREATE MACRO tile_x(lon) AS floor((lon + 180) / 360 * 8192)::BIGINT;
           CREATE MACRO tile_y(lat) AS
               floor((1 - ln(tan(radians(lat)) + 1 / cos(radians(lat))) / pi()) / 2 * 8192)::BIGINT"""
    )
    expected = duck.sql(
        """SELECT region, hour(started_at), tile_x(origin_x), tile_y(origin_y), tile_x(destination_x),
                  tile_y(destination_y), count(*)
           FROM trip GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    with warehouse.connect() as connection:
        # Kept in the bits of zoom 26, so 13 bits further left.
        found = connection.execute(
            """SELECT region.name, hour, origin_tile >> 45, (origin_tile >> 13) & 8191, destination_tile >> 45,
                      (destination_tile >> 13) & 8191, trips
               FROM gold.trip_group JOIN silver.region ON region.id = region_id"""
        ).fetchall()
    assert sorted(found) == sorted(expected)


@both_servers
@pytest.mark.parametrize("rows", [500, 30_000])
def test_the_same_file_again_changes_nothing(warehouse, ingest, tmp_path, small_chunks, rows):
    content = sample(rows, invalid_every=50)
    first = ingest(content)
    before = everything(warehouse, first.id)
    path = tmp_path / "another name.csv"
    path.write_bytes(content)
    with warehouse.connect() as connection:
        again = submit(connection, path, path.name)
    assert (again.is_new, again.ingestion) == (False, first)
    assert run_ingestion(warehouse, int(first.id)) == first
    assert everything(warehouse, first.id) == before
    assert count(warehouse, "ops.ingestion") == 1


@pytest.mark.parametrize(
    "options",
    [
        Options(override_region="Turin"),
        Options(override_datasource="car"),
        Options(encoding="latin-1"),
        Options(override_region=" x "),
    ],
)
def test_the_same_content_with_other_options_is_a_conflict(warehouse, ingest, tmp_path, options):
    first = ingest(sample(10))
    with (
        warehouse.connect() as connection,
        pytest.raises(IngestionConflictError, match=f"ingestion {first.id} already"),
    ):
        submit(connection, tmp_path / "trips.csv", "trips.csv", options)
    assert count(warehouse, "ops.ingestion") == 1


def test_the_same_content_sent_at_once_is_one_ingestion(warehouse, tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(2000))
    found, start = [], threading.Barrier(8)

    def send():
        with warehouse.connect() as connection:
            start.wait()
            sent = submit(connection, path, path.name)
        found.append((sent.ingestion.id, sent.is_new, run_ingestion(warehouse, int(sent.ingestion.id))))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {ingestion_id for ingestion_id, *_ in found} == {"1"}
    assert [is_new for _, is_new, _ in found].count(True) == 1
    assert count(warehouse, "silver.trip") == 2000
    with warehouse.connect() as connection:
        check_sums(connection, "1")


@pytest.mark.parametrize("change", ["nothing", "touched", "of another file", "packed"])
def test_chunks_that_were_cut_before_give_the_same_rows(warehouse, ingest, tmp_path, small_chunks, change):
    path, other = tmp_path / "trips.csv", tmp_path / "other.csv"
    path.write_bytes(gzip.compress(sample(60_000)) if change == "packed" else sample(60_000, invalid_every=1000))
    other.write_bytes(sample(50_000, seed=2))
    with warehouse.connect() as connection:
        sent = submit(connection, path, path.name, cut=True)
        foreign = submit(connection, other, other.name, cut=True)
        assert (len(sent.chunks) > 3) == (change != "packed")
        if change == "touched":
            path.touch()
        ended = run_ingestion(
            warehouse, int(sent.ingestion.id), chunks=foreign.chunks if change == "of another file" else sent.chunks
        )
        assert (ended.state, ended.rows_read) == ("succeeded", 60_000)
        check_sums(connection, ended.id)
        cut_before = everything(warehouse, ended.id)
        remove(connection, ended.id)
    assert everything(warehouse, ingest(path).id) == cut_before


@both_servers
@pytest.mark.parametrize("removed", [["1"], ["2"], ["3"], ["3", "1", "2"]])
def test_removal_takes_rows_out_of_all_layers(warehouse, ingest, small_chunks, removed):
    # Two small and one large, of the same streets and hours: gold has to tell them apart.
    files = [sample(3000, 1, 100), sample(3000, 1, 0), sample(30_000, 1, 200)]
    before = [ingest(content).id for content in files]
    kept = [ingestion_id for ingestion_id in before if ingestion_id not in removed]
    held = [{layer: sums for layer, sums in all_.items() if layer not in ("trip groups", "weeks")}
            for all_ in everything(warehouse, *kept)]  # fmt: skip
    with warehouse.connect() as connection:
        for ingestion_id in removed:
            assert remove(connection, ingestion_id).state == "removed"
            assert bronze_rows(connection, ingestion_id) == []
            for table in ("bronze.malformed_line", "silver.trip", "silver.rejected_row", "ops.chunk"):
                query = f"SELECT count(*) FROM {table} WHERE ingestion_id = %s"
                assert connection.execute(query, [ingestion_id]).fetchone() == (0,), table
            assert gold_differences(connection) == {}
        assert connection.execute("SELECT count(*) FROM gold.trip_group WHERE trips <= 0").fetchone() == (0,)
        assert trip_metrics(connection).trips == count(warehouse, "silver.trip")
        with pytest.raises(IngestionConflictError, match="removed already"):
            remove(connection, removed[0])
    after = everything(warehouse, *kept)
    assert [{layer: sums for layer, sums in all_.items() if layer in held[0]} for all_ in after] == held
    again = ingest(files[int(removed[0]) - 1])
    assert (again.id, again.state) == ("4", "succeeded")
    with warehouse.connect() as connection:
        check_sums(connection, "4")


def test_nothing_is_left_of_a_large_ingestion_that_is_removed(warehouse, ingest, small_chunks):
    ingest(sample(10))
    relations = "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('bronze', 'silver', 'gold')"
    with warehouse.connect() as connection:
        before = connection.execute(relations).fetchall()
        remove(connection, ingest(sample(30_000)).id)
        assert sorted(connection.execute(relations).fetchall()) == sorted(before)


@both_servers
def test_small_files_add_up(warehouse, ingest):
    for seed in range(12):
        ingest(sample(200, seed % 3, 20 + seed), f"{seed}.csv")
    assert count(warehouse, "silver.trip") == sum(200 - 200 // (20 + seed) for seed in range(12))
    with warehouse.connect() as connection:
        for seed in range(12):
            check_sums(connection, str(seed + 1))


@both_servers
@pytest.mark.parametrize("rows", [3000, 30_000])
def test_a_reader_sees_nothing_before_all_is_there(warehouse, tmp_path, small_chunks, rows):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(rows, invalid_every=100))
    seen: dict[str, set[tuple[int, ...]]] = {}
    with warehouse.connect() as connection, warehouse.connect() as reader:
        sent = submit(connection, path, path.name)

        def look(ingestion):
            tables = ("silver.trip", "gold.trip_group", "gold.region_week")
            counts = tuple(reader.execute(f"SELECT count(*) > 0 FROM {table}").fetchone()[0] for table in tables)
            seen.setdefault(ingestion.phase or ingestion.state, set()).add(counts)
            if not ingestion.is_finished:
                with pytest.raises(UnknownRegionError):
                    weekly_average(reader, Selection(region="Prague"))
                assert trip_metrics(reader).trips == 0
                assert trip_groups(reader, GroupQuestion()).groups == ()

        ended = run_ingestion(warehouse, int(sent.ingestion.id), look)
    assert ended.state == "succeeded"
    assert seen == {
        "bronze": {(False, False, False)},
        "silver": {(False, False, False)},
        "gold": {(False, False, False)},
        "succeeded": {(True, True, True)},
    }


@both_servers
def test_a_cancelled_ingestion_goes_on_from_its_last_chunk(warehouse, ingest, tmp_path, small_chunks):
    content = sample(150_000, invalid_every=1000)
    undisturbed = ingest(content)
    expected = everything(warehouse, undisturbed.id)
    path = tmp_path / "trips.csv"
    with warehouse.connect() as connection:
        remove(connection, undisturbed.id)
        sent = submit(connection, path, path.name)

        def stop(ingestion):
            if ingestion.rows_read and not ingestion.is_finished:
                cancel(connection, ingestion.id)

        cancelled = run_ingestion(warehouse, int(sent.ingestion.id), stop)
        assert cancelled.state == "cancelled"
        assert count(warehouse, "silver.trip") == count(warehouse, "gold.trip_group") == 0
        marks = "SELECT number, xmin::text FROM ops.chunk WHERE ingestion_id = %s ORDER BY number"
        done = connection.execute(marks, [cancelled.id]).fetchall()
        with pytest.raises(IngestionConflictError, match="only one that is not finished"):
            cancel(connection, cancelled.id)
        again = submit(connection, path, path.name)
        assert (again.is_new, again.ingestion.id, again.ingestion.state) == (True, cancelled.id, "queued")
        told = []
        ended = run_ingestion(warehouse, int(cancelled.id), lambda ingestion: told.append(ingestion.rows_read))
        assert ended.state == "succeeded"
        assert told == sorted(told)
        assert told[0] >= cancelled.rows_read > 0
        after = connection.execute(marks, [cancelled.id]).fetchall()
        assert 0 < len(done) < len(after)
        assert set(done) < set(after)  # the transactions that stored them: not stored again
        check_sums(connection, ended.id)
    assert everything(warehouse, ended.id) == expected


@pytest.mark.parametrize("rows", [3000, 60_000])
def test_a_failed_ingestion_goes_on_once_the_cause_is_gone(warehouse, ingest, tmp_path, small_chunks, rows):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(rows, invalid_every=1000))
    with warehouse.connect() as connection:
        connection.execute(
            """CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN RAISE EXCEPTION 'no luck' USING ERRCODE = 'disk_full'; END$$"""
        )
        number = 3 if rows > 30_000 else 0
        connection.execute(
            f"""CREATE TRIGGER refuse BEFORE UPDATE ON ops.chunk FOR EACH ROW WHEN (NEW.number = {number})
                EXECUTE FUNCTION public.refuse()"""
        )
        failed = ingest(path)
        assert (failed.state, "no luck" in failed.error, "nothing is lost" in failed.error) == ("failed", True, True)
        assert count(warehouse, "silver.trip") == 0
        connection.execute("DROP TRIGGER refuse ON ops.chunk")
        assert retry(connection, failed.id).state == "queued"
        ended = run_ingestion(warehouse, int(failed.id))
        assert (ended.state, ended.rows_read, ended.error) == ("succeeded", rows, None)
        check_sums(connection, ended.id)


def test_nothing_is_left_of_a_cancelled_ingestion_that_is_removed(warehouse, ingest, tmp_path, small_chunks):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(60_000, invalid_every=1000))
    with warehouse.connect() as connection:
        relations = (
            "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('bronze', 'silver', 'gold')"
        )
        remove(connection, ingest(sample(10), "small.csv").id)  # makes the table of the header
        before = connection.execute(relations).fetchall()
        sent = submit(connection, path, path.name)
        stopped = run_ingestion(
            warehouse,
            int(sent.ingestion.id),
            lambda now: cancel(connection, now.id) if now.rows_read and not now.is_finished else None,
        )
        assert stopped.state == "cancelled"
        remove(connection, stopped.id)
        assert sorted(connection.execute(relations).fetchall()) == sorted(before)
        assert get_ingestion(connection, stopped.id).state == "removed"


# Takes ingestion argv[2] through; argv[1] is the conninfo.
RUN = """
import sys
from tripsmith.ingestion.run import run_ingestion
from tripsmith.warehouse.database import Warehouse
run_ingestion(Warehouse(sys.argv[1]), int(sys.argv[2]))
"""


def test_a_commit_on_its_way_when_its_owner_is_killed_counts_once(warehouse, tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(2000, invalid_every=100))
    with warehouse.connect() as connection, warehouse.connect() as gate:
        sent = submit(connection, path, path.name)
        # A trigger that fires in COMMIT holds it there for as long as the gate is shut.
        connection.execute(
            """CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END$$"""
        )
        connection.execute(
            """CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON ops.ingestion DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW WHEN (NEW.state = 'succeeded') EXECUTE FUNCTION public.wait()"""
        )
        gate.execute("SELECT pg_advisory_lock(42)")
        owner = subprocess.Popen([sys.executable, "-c", RUN, warehouse.conninfo, sent.ingestion.id])
        wait_for(gate, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")
        owner.kill()
        owner.wait()
        heirs: list = []
        heir = threading.Thread(target=lambda: heirs.append(inherit(warehouse, int(sent.ingestion.id))))
        heir.start()
        # The heir has come as far as it can: it waits for the transaction that the gate holds.
        wait_for(gate, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'")
        gate.execute("SELECT pg_advisory_unlock(42)")
        heir.join()
        assert [(ended.state, ended.rows_read, ended.phase) for ended in heirs] == [("succeeded", 2000, None)]
        check_sums(connection, sent.ingestion.id)


def test_an_owner_that_lost_its_claim_and_its_heir_count_once(warehouse, tmp_path):
    path = tmp_path / "trips.csv"
    path.write_bytes(sample(2000, invalid_every=100))
    with warehouse.connect() as connection, warehouse.connect() as gate:
        sent = submit(connection, path, path.name)
        # The owner comes as far as gold, which the gate keeps shut.
        gate.execute("SELECT pg_advisory_lock(hashtextextended('tripsmith.gold', 0))")
        owner = subprocess.Popen(
            [sys.executable, "-c", RUN, warehouse.conninfo, sent.ingestion.id], stderr=subprocess.DEVNULL
        )
        wait_for(gate, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'")
        gate.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_locks
               WHERE locktype = 'advisory' AND classid = hashtext('tripsmith.ingestion')::bit(32)::bigint::oid"""
        )
        heirs: list = []
        heir = threading.Thread(target=lambda: heirs.append(inherit(warehouse, int(sent.ingestion.id))))
        heir.start()
        # The owner at the gate, and the heir for what the owner is about to commit.
        wait_for(gate, "SELECT count(*) / 2 FROM pg_stat_activity WHERE wait_event = 'advisory'")
        gate.execute("SELECT pg_advisory_unlock(hashtextextended('tripsmith.gold', 0))")
        heir.join()
        owner.wait()
        assert [(ended.state, ended.rows_read, ended.phase) for ended in heirs] == [("succeeded", 2000, None)]
        check_sums(connection, sent.ingestion.id)


def wait_for(connection, query):
    """Wait until a query counts something in this database."""
    deadline = time.monotonic() + 60
    condition = " AND datname = current_database()" if "pg_stat_activity" in query else ""
    while connection.execute(query + condition).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def inherit(warehouse, ingestion_id):
    while (ended := run_ingestion(warehouse, ingestion_id)) is None:
        time.sleep(0.02)
    return ended
