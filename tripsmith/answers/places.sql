-- Gold's segments, read by place. {end} is one of gold's pairs of tables, of origins or of destinations.

-- name: one_snapshot
-- What is read in several queries belongs together, even when an ingestion ends meanwhile,
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: keep_partitions
-- ... and no partition may be dropped before the last of them; nothing has been read yet, so the snapshot comes after.
LOCK TABLE silver.trip, gold.segment, gold.trip_group, gold.region_week, gold.origin_week, gold.destination_week,
    gold.origin_hour, gold.destination_hour, gold.origin_trip, gold.destination_trip, gold.region_hour, gold.trip_length
IN ACCESS SHARE MODE

-- name: list_segments
SELECT DISTINCT segment FROM ops.ingestion WHERE segment IS NOT NULL AND state = 'succeeded'

-- name: list_without_segment
SELECT id, lot FROM ops.ingestion WHERE state = 'succeeded' AND segment IS NULL AND rows_loaded > 0

-- name: week_cells
SELECT DISTINCT cell
FROM gold.{end}_week
WHERE segment = ANY(%(segments)s) AND zoom = %(zoom)s AND (%(parents)s::bigint[] IS NULL OR parent = ANY(%(parents)s))
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)

-- name: region_cells
SELECT DISTINCT region_id, cell
FROM gold.{end}_week
WHERE segment = ANY(%(segments)s) AND zoom = %(zoom)s
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)

-- name: trip_cells
SELECT DISTINCT cell
FROM gold.{end}_trip
WHERE segment = ANY(%(segments)s) AND parent = ANY(%(parents)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)

-- name: sum_weeks
SELECT week - date '1970-01-01', sum(monday)::bigint, sum(tuesday)::bigint, sum(wednesday)::bigint,
       sum(thursday)::bigint, sum(friday)::bigint, sum(saturday)::bigint, sum(sunday)::bigint
FROM gold.{end}_week
WHERE segment = ANY(%(segments)s) AND zoom = %(zoom)s AND parent = ANY(%(parents)s) AND cell = ANY(%(cells)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)
GROUP BY week

-- name: read_hours
SELECT hours
FROM gold.{end}_hour
WHERE segment = ANY(%(segments)s) AND zoom = %(zoom)s AND parent = ANY(%(parents)s) AND cell = ANY(%(cells)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)

-- name: read_trips
-- What is not asked for is not fetched from where PostgreSQL keeps long values.
SELECT CASE WHEN %(with_points)s THEN points END, CASE WHEN %(with_others)s THEN others END, hours
FROM gold.{end}_trip
WHERE segment = ANY(%(segments)s) AND parent = ANY(%(parents)s) AND cell = ANY(%(cells)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)

-- name: scan_trips
COPY (
    SELECT trip.origin_longitude, trip.origin_latitude, trip.destination_longitude, trip.destination_latitude,
           silver.day_hour(trip.started_at)
    FROM silver.trip AS trip
    WHERE {condition}
) TO STDOUT (FORMAT binary)

-- name: sum_hours
SELECT hour >> 5, sum(trips)::bigint
FROM gold.region_hour
WHERE segment = ANY(%(segments)s) AND (hour & 31) = ANY(%(hours)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)
GROUP BY 1

-- name: scan_days
SELECT trip.started_at::date - date '1970-01-01', count(*)
FROM silver.trip AS trip
WHERE {condition}
GROUP BY 1
