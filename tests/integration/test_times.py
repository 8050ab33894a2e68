"""Times in every form of ISO 8601: read as Python does, their offsets kept, other forms rejected with a reason."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from contents import check_sums, rejected
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.both_servers

HEADER = ("region", "origin_coord", "destination_coord", "datetime", "datasource")

# As written: local time and offset in minutes.
READ = {
    "2018-05-28 09:03:40": ("2018-05-28 09:03:40", None),
    "2018-05-28T09:03:40": ("2018-05-28 09:03:40", None),
    "2018-05-28t09:03:40z": ("2018-05-28 09:03:40", 0),
    "  2018-05-28  09:03:40  Z ": ("2018-05-28 09:03:40", 0),
    "2018-05-28 09:03:40.25": ("2018-05-28 09:03:40.25", None),
    "2018-05-28 09:03:40.250": ("2018-05-28 09:03:40.25", None),
    "2018-05-28T09:03:40,5": ("2018-05-28 09:03:40.5", None),
    "2018-05-28T09:03:40.123456789Z": ("2018-05-28 09:03:40.123456", 0),
    "2018-12-31T23:59:59.9999999": ("2018-12-31 23:59:59.999999", None),
    "2018-05-28 9:03:40": ("2018-05-28 09:03:40", None),
    "2018-05-28 09:03": ("2018-05-28 09:03:00", None),
    "2018-05-28T9:03": ("2018-05-28 09:03:00", None),
    "2018-05-28T09": ("2018-05-28 09:00:00", None),
    # The basic form, and both at once.
    "20180528T090340": ("2018-05-28 09:03:40", None),
    "20180528T0903": ("2018-05-28 09:03:00", None),
    "20180528T09": ("2018-05-28 09:00:00", None),
    "20180528 090340.5": ("2018-05-28 09:03:40.5", None),
    "20180528T090340,5+0200": ("2018-05-28 09:03:40.5", 120),
    "20180528T09:03:40": ("2018-05-28 09:03:40", None),
    "2018-05-28T090340": ("2018-05-28 09:03:40", None),
    # Weeks and days of the year.
    "2018-W22-1T09:03": ("2018-05-28 09:03:00", None),
    "2018W221T0903Z": ("2018-05-28 09:03:00", 0),
    "2009-W01-1 00:00": ("2008-12-29 00:00:00", None),
    "2020-W53-7T23:59": ("2021-01-03 23:59:00", None),
    "2018-148T09:03": ("2018-05-28 09:03:00", None),
    "2018148T0903": ("2018-05-28 09:03:00", None),
    "2020-366 09:03": ("2020-12-31 09:03:00", None),
    # Offsets, of short values too.
    "2018-05-28 9:03Z": ("2018-05-28 09:03:00", 0),
    "2018-05-28T9:03+02": ("2018-05-28 09:03:00", 120),
    "20180528T09Z": ("2018-05-28 09:00:00", 0),
    "2018-05-28T09-05": ("2018-05-28 09:00:00", -300),
    "2018-05-28T0903-0530": ("2018-05-28 09:03:00", -330),
    "2018-05-28 09:03:40 +05:30": ("2018-05-28 09:03:40", 330),
    "2018-05-28 09:03:40-00:30": ("2018-05-28 09:03:40", -30),
    "2018-05-28 09:03:40-00:00": ("2018-05-28 09:03:40", 0),
    "2018-05-28 09:03:40+15:59": ("2018-05-28 09:03:40", 959),
    "2018-05-28 09:03:40\u221205:00": ("2018-05-28 09:03:40", -300),
    "2018-05-28 09:03:40 UTC": ("2018-05-28 09:03:40", 0),
    "2018-05-28 09:03:40.25 utc": ("2018-05-28 09:03:40.25", 0),
    "2018-05-28 09:03GMT": ("2018-05-28 09:03:00", 0),
    # Ends of days, minutes and centuries.
    "2018-12-31 24:00:00": ("2019-01-01 00:00:00", None),
    "2018-12-31T24:00Z": ("2019-01-01 00:00:00", 0),
    "20181231T24": ("2019-01-01 00:00:00", None),
    "2016-12-31T23:59:60Z": ("2017-01-01 00:00:00", 0),
    "0001-01-01T00:00": ("0001-01-01 00:00:00", None),
    "0001-W01-1T00:00": ("0001-01-01 00:00:00", None),
    "0999-12-31 23:59:59": ("0999-12-31 23:59:59", None),
    "9999-12-31 23:59:59": ("9999-12-31 23:59:59", None),
    # What editors and spreadsheets leave.
    "\ufeff2018-05-28\u00a009:03:40\u200e": ("2018-05-28 09:03:40", None),
    "2018\u201005\u201028 09:03:40": ("2018-05-28 09:03:40", None),
    "2018-05-28\t09:03:40\n": ("2018-05-28 09:03:40", None),
}

# As written: a part of the reason.
REJECTED = {
    "2018-05-28": "it has no time of day",
    "20180528": "it has no time of day",
    "2018-W22-1Z": "it has no time of day",
    "2018-148": "it has no time of day",
    "2018-05-28 09:03:40 EST": "names of time zones are not read (EST): write the offset from UTC, such as -05:00",
    "2018-05-28 09:03:40 America/New_York": "(America/New_York)",
    "2018-05-28T09:03:40-04:00[America/New_York]": "(-04:00[America/New_York])",
    "2018-05-28T09:03Europe/Prague": "(Europe/Prague)",
    "2018-05-28 09:03:40 UTC+2": "(UTC+2)",
    "20180528T0903 CEST": "(CEST)",
    "2018-05-28 09:03:40 PM": "it has AM or PM: write the hour from 00 to 24",
    "2018-05-28 9:03 a.m.": "it has AM or PM",
    "2018-05-28T09:03.5": "only seconds may have a fraction",
    "2018-05-28 09.30": "only seconds may have a fraction",
    "20180528T0903,5Z": "only seconds may have a fraction",
    "2018-05-28 09:03:40+99:99": "the offset +99:99 is not one from -15:59 to +15:59, such as +05:30",
    "2018-05-28 09:03:40+16:00": "the offset +16:00",
    "2018-05-28 09:03:40+05:60": "the offset +05:60",
    "2018-05-28 09:03:40+5": "the offset +5",
    "2018-05-28 09:03:40+05:30:15": "the offset +05:30:15",
    "2018-02-29 09:03:40": "there is no day 2018-02-29",
    "20180230T0903": "there is no day 20180230",
    "2018-W53-1T09:03": "there is no day 2018-W53-1",
    "2018-W00-1T09:03": "there is no day 2018-W00-1",
    "2018-W22-0T09:03": "there is no day 2018-W22-0",
    "2018-W22-8T09:03": "there is no day 2018-W22-8",
    "2018-366T09:03": "there is no day 2018-366",
    "2018-000T09:03": "there is no day 2018-000",
    "0000-01-01 00:00:00": "there is no day 0000-01-01",
    "0000-W01-1T00:00": "there is no day 0000-W01-1",
    "2018-05-28 25:00": "there is no time of day 25:00",
    "20180528T096000": "there is no time of day 096000",
    "2018-05-28 24:00:01": "there is no time of day 24:00:01",
    "9999-12-31 24:00:00": "it is after the year 9999",
    "9999-W52-7T09:03": "it is after the year 9999",
    "28.05.2018 09:03:40": "is not a date and time such as 2018-05-28 09:03:40",
    "05/28/2018 09:03:40": "is not a date and time such as",
    "20180528090340": "is not a date and time such as",
    "1527498220": "is not a date and time such as",
    "2018-05 09:03": "is not a date and time such as",
    "2018-05-28 9": "is not a date and time such as",
    "+002018-05-28T09:03": "is not a date and time such as",
    "\u0662\u0660\u0661\u0668-05-28 09:03:40": "is not a date and time such as",
    "now": "is not a date and time such as",
    "": "datetime is missing",
    " \u00a0\u200b": "datetime is missing",
    "NULL": "datetime is missing: NULL stands for no value",
}


def as_csv(*times: str, region: str = "Prague") -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEADER)
    writer.writerows((region, "POINT (14.4 50.1)", "POINT (14.5 50.0)", written, "car") for written in times)
    return file.getvalue().encode()


def trips(connection, ingestion_id):
    query = """SELECT started_at::text, utc_offset_minutes, suspicious
               FROM silver.trip WHERE ingestion_id = %s ORDER BY line"""
    return connection.execute(query, [int(ingestion_id)]).fetchall()


def test_forms_that_are_read(warehouse, ingest):
    ended = ingest(as_csv(*READ))
    with warehouse.connect() as connection:
        assert rejected(connection, ended.id) == []
        found = [(local, offset) for local, offset, _ in trips(connection, ended.id)]
        assert dict(zip(READ, found, strict=True)) == READ
        check_sums(connection, ended.id)


def test_forms_that_are_rejected(warehouse, ingest):
    ended = ingest(as_csv(*REJECTED, "2018-05-28 09:03:40"))
    with warehouse.connect() as connection:
        reasons = ["; ".join(reasons) for _, _, reasons in rejected(connection, ended.id)]
    assert {
        written: (part, part in reason) for (written, part), reason in zip(REJECTED.items(), reasons, strict=True)
    } == {written: (part, True) for written, part in REJECTED.items()}, reasons


def week_date(moment: datetime, pattern: str) -> str:
    return pattern.format(*moment.isocalendar())


# How a day is written, by form.
DAYS = {
    "calendar": lambda moment: f"{moment.year:04}-{moment:%m-%d}",
    "basic calendar": lambda moment: f"{moment.year:04}{moment:%m%d}",
    "week": lambda moment: week_date(moment, "{:04}-W{:02}-{}"),
    "basic week": lambda moment: week_date(moment, "{:04}W{:02}{}"),
    "ordinal": lambda moment: f"{moment.year:04}-{moment:%j}",
    "basic ordinal": lambda moment: f"{moment.year:04}{moment:%j}",
}
# How a time of day is written, and what of it is left out.
CLOCKS = {
    "%H:%M:%S": {},
    "%H%M%S": {},
    "%H:%M": {"second": 0},
    "%H%M": {"second": 0},
    "%H": {"minute": 0, "second": 0},
}


@dataclass(frozen=True)
class Written:
    """A date and time as text, and the local time and offset in minutes that it means."""

    text: str
    local: datetime
    offset: int | None


def write(moment: datetime, day: str, clock: str, separator: str, fraction: str, offset: str) -> Written:
    local = moment.replace(**CLOCKS[clock])
    if fraction and clock.endswith("%S"):
        local = local.replace(microsecond=int(fraction[1:7].ljust(6, "0")))
    else:
        fraction = ""
    text = f"{DAYS[day](moment)}{separator}{moment.strftime(clock)}{fraction}{offset}"
    minutes = 0 if offset == "Z" else None
    if offset not in ("", "Z"):
        minutes = int(offset[1:3]) * 60 + int(offset[3:].strip(":") or 0)
        minutes = -minutes if offset[0] == "-" else minutes
    if "ordinal" not in day:  # Python reads all the other forms
        zone = None if minutes is None else timezone(timedelta(minutes=minutes))
        read = datetime.fromisoformat(text)
        assert (read, read.utcoffset()) == (local.replace(tzinfo=zone), zone and zone.utcoffset(None))
    return Written(text, local, minutes)


TIMES = st.builds(
    write,
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from(sorted(DAYS)),
    st.sampled_from(sorted(CLOCKS)),
    st.sampled_from("T "),
    st.one_of(st.just(""), st.from_regex(r"[.,][0-9]{1,9}", fullmatch=True)),
    st.from_regex(r"Z?|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?", fullmatch=True),
)


def test_random_times_are_read_as_python_reads_them(warehouse):
    with warehouse.connect() as connection:

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(TIMES, min_size=20, max_size=60))
        def compare(times):
            read = connection.execute(
                """SELECT silver.local_time(parts)::timestamp, silver.utc_offset_minutes(parts)
                   FROM unnest(%s::text[]) WITH ORDINALITY AS written (text, position)
                   CROSS JOIN LATERAL silver.time_parts(text) AS parts ORDER BY position""",
                [[written.text for written in times]],
            ).fetchall()
            assert dict(zip((written.text for written in times), read, strict=True)) == {
                written.text: (written.local, written.offset) for written in times
            }

        compare()


def test_the_clean_way_and_the_careful_way_read_alike(warehouse, ingest):
    """Each time in a file of its own, clean where it can be, and all in one that goes the careful way."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    times = [
        *READ,
        "1899-12-31 23:59:59.999999",
        "1900-01-01 00:00:00",
        "1900-01-01T00:00:00.000001",
        f"{tomorrow} 23:59:59.999999",
        f"{tomorrow}T23:59:59",
        f"{tomorrow + timedelta(days=2)} 00:00:00",
        "2018-05-28T09:03:40.5",
        "2018-05-28 09:03:40.123456",
        "2020-02-29 00:00:00",
    ]
    alone = []
    for number, written in enumerate(times):
        ended = ingest(as_csv(written), f"{number}.csv")
        with warehouse.connect() as connection:
            alone += trips(connection, ended.id)
    together = ingest(as_csv(*times, ""))
    with warehouse.connect() as connection:
        assert len(rejected(connection, together.id)) == 1
        assert dict(zip(times, trips(connection, together.id), strict=True)) == dict(zip(times, alone, strict=True))
