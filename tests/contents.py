"""What a warehouse holds, as tests compare it: free of numbers that depend on the order of arrival."""

from typing import Any

from psycopg import Connection, sql

# The sum of 64-bit hashes is the same in any order and tells rows that are there twice.
_CHECKSUM = "SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)), 0)::text FROM ({rows}) AS r"

_LAYERS = {
    "malformed": "SELECT line, record, reasons FROM bronze.malformed_line WHERE ingestion_id = {id}",
    "silver": """
        SELECT trip.line, trip.started_at, trip.origin_longitude, trip.origin_latitude, trip.destination_longitude,
               trip.destination_latitude, trip.origin_tile, trip.destination_tile, trip.utc_offset_minutes,
               trip.suspicious, region.key AS region, datasource.key AS datasource
        FROM silver.trip AS trip
        LEFT JOIN silver.region AS region ON region.id = trip.region_id
        LEFT JOIN silver.datasource AS datasource ON datasource.id = trip.datasource_id
        WHERE trip.ingestion_id = {id}""",
    "rejected": "SELECT line, record, reasons FROM silver.rejected_row WHERE ingestion_id = {id}",
    "marks": """
        SELECT region.key AS region, datasource.key AS datasource, mark, sum(trips) AS trips
        FROM silver.trip_mark
        JOIN silver.region AS region ON region.id = region_id
        JOIN silver.datasource AS datasource ON datasource.id = datasource_id
        WHERE ingestion_id = {id}
        GROUP BY 1, 2, 3""",
    "trip groups": """
        SELECT region.key AS region, hour, origin_tile, destination_tile, sum(trips) AS trips
        FROM gold.trip_group LEFT JOIN silver.region AS region ON region.id = region_id
        GROUP BY 1, 2, 3, 4""",
    "weeks": """
        SELECT region.key AS region, datasource.key AS datasource, week, sum(trips) AS trips,
               min(first_trip) AS first_trip, max(last_trip) AS last_trip
        FROM gold.region_week
        LEFT JOIN silver.region AS region ON region.id = region_id
        LEFT JOIN silver.datasource AS datasource ON datasource.id = datasource_id
        GROUP BY 1, 2, 3""",
}

# Gold and a recount of silver, to be equal row for row.
_RECOUNTS = {
    "gold.trip_group": (
        """SELECT region_id, hour, gold.quadbin(origin_tile, 13) AS origin,
                  gold.quadbin(destination_tile, 13) AS destination, sum(trips)::bigint AS trips
           FROM gold.trip_group GROUP BY 1, 2, 3, 4""",
        """SELECT region_id, extract(hour FROM started_at)::int, gold.quadbin(origin_tile, 13),
                  gold.quadbin(destination_tile, 13), count(*)
           FROM silver.trip GROUP BY 1, 2, 3, 4""",
    ),
    "gold.region_week": (
        """SELECT region_id, datasource_id, week, sum(trips)::bigint AS trips, min(first_trip), max(last_trip)
           FROM gold.region_week GROUP BY 1, 2, 3""",
        """SELECT region_id, datasource_id, date_trunc('week', started_at)::date, count(*), min(started_at),
                  max(started_at)
           FROM silver.trip GROUP BY 1, 2, 3""",
    ),
}


def bronze_rows(connection: Connection[Any], ingestion_id: str) -> list[tuple[Any, ...]]:
    """Return the bronze rows of an ingestion: the line, then the values as they were in the file, by line."""
    table, names = bronze_table(connection, ingestion_id)
    columns = sql.SQL(", ").join(map(sql.Identifier, ("_line", *names)))
    query = sql.SQL('SELECT {} FROM {} WHERE "_ingestion_id" = {} ORDER BY "_line"')
    return connection.execute(query.format(columns, table, sql.Literal(int(ingestion_id)))).fetchall()


def bronze_table(connection: Connection[Any], ingestion_id: str) -> tuple[sql.Identifier, list[str]]:
    """Return the bronze table of an ingestion and the columns that are the file's."""
    row = connection.execute(
        """SELECT table_name, column_names
           FROM ops.ingestion AS i JOIN ops.header ON header.id = i.header_id WHERE i.id = %s""",
        [ingestion_id],
    ).fetchone()
    assert row is not None
    return sql.Identifier("bronze", row[0]), row[1]


def rejected(connection: Connection[Any], ingestion_id: str) -> list[tuple[int, bytes, list[str]]]:
    """Return line, record and reasons of the rows that were rejected, by line."""
    query = "SELECT line, record, reasons FROM silver.rejected_row WHERE ingestion_id = %s ORDER BY line"
    return connection.execute(query, [ingestion_id]).fetchall()


def checksums(connection: Connection[Any], ingestion_id: str) -> dict[str, tuple[int, str]]:
    """Return rows and checksum of an ingestion in bronze, silver and rejections, and of all gold."""
    table, names = bronze_table(connection, ingestion_id)
    bronze = sql.SQL('SELECT {} FROM {} WHERE "_ingestion_id" = {}').format(
        sql.SQL(", ").join(map(sql.Identifier, ("_line", *names))), table, sql.Literal(int(ingestion_id))
    )
    layers = {name: sql.SQL(text).format(id=sql.Literal(int(ingestion_id))) for name, text in _LAYERS.items()}
    return {
        name: connection.execute(sql.SQL(_CHECKSUM).format(rows=rows)).fetchone() or (0, "")
        for name, rows in {"bronze": bronze, **layers}.items()
    }


def gold_differences(connection: Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows in which gold differs from a recount of silver, by table; empty when there is none."""
    differences = {}
    for name, (gold, recount) in _RECOUNTS.items():
        query = f"(({gold}) EXCEPT ALL ({recount})) UNION ALL (({recount}) EXCEPT ALL ({gold})) LIMIT 10"
        differences[name] = connection.execute(query).fetchall()
    return {name: rows for name, rows in differences.items() if rows}


def mark_differences(connection: Connection[Any], ingestion_id: str) -> list[tuple[Any, ...]]:
    """Return the marks of an ingestion in which silver.trip_mark differs from a recount of its trips."""
    query = """
        WITH kept AS (
            SELECT region_id, datasource_id, mark, sum(trips)::bigint AS trips
            FROM silver.trip_mark WHERE ingestion_id = %(id)s GROUP BY 1, 2, 3
        ), counted AS (
            SELECT region_id, datasource_id, mark, count(*) AS trips
            FROM silver.trip
            CROSS JOIN LATERAL unnest(
                coalesce(suspicious, '{}') || CASE WHEN utc_offset_minutes = 0 THEN '{states_utc}'::text[] END
            ) AS marked (mark)
            WHERE ingestion_id = %(id)s
            GROUP BY 1, 2, 3
        )
        (TABLE kept EXCEPT ALL TABLE counted) UNION ALL (TABLE counted EXCEPT ALL TABLE kept)"""
    return connection.execute(query, {"id": int(ingestion_id)}).fetchall()


def check_sums(connection: Connection[Any], ingestion_id: str) -> dict[str, tuple[int, str]]:
    """Assert what holds for any ingestion that succeeded, nothing being lost on its way; return its checksums."""
    row = connection.execute(
        "SELECT rows_read, rows_loaded, rows_rejected FROM ops.ingestion WHERE id = %s", [ingestion_id]
    ).fetchone()
    assert row is not None
    sums = checksums(connection, ingestion_id)
    held = {name: rows for name, (rows, _) in sums.items()}
    assert (held["bronze"] + held["malformed"], held["silver"], held["rejected"]) == row
    assert row[0] == row[1] + row[2]
    assert gold_differences(connection) == {}
    assert mark_differences(connection, ingestion_id) == []
    return sums
