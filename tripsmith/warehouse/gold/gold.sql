-- Gold: trips grouped and counted. {lot} is a literal, the partitions of a lot are identifiers.

-- name: make_trip_group
-- A large ingestion's groups, at zoom 14: rows are grouped by tile first, so that a quadbin is made once a group.
CREATE TABLE {trip_group} AS
SELECT {lot}::int AS lot, tiles.region_id, tiles.hour, gold.quadbin(tiles.origin, 14) AS origin_cell,
       gold.quadbin(tiles.destination, 14) AS destination_cell, tiles.trips
FROM (
    SELECT region_id, extract(hour FROM started_at)::int AS hour,
           origin_tile & x'03FFF00003FFF000'::bigint AS origin,
           destination_tile & x'03FFF00003FFF000'::bigint AS destination, count(*) AS trips
    FROM {trip}
    GROUP BY 1, 2, 3, 4
) AS tiles

-- name: make_region_week
CREATE TABLE {region_week} AS
SELECT {lot}::int AS lot, region_id, datasource_id, date_trunc('week', started_at)::date AS week, count(*) AS trips,
       min(started_at) AS first_trip, max(started_at) AS last_trip
FROM {trip}
GROUP BY 2, 3, 4

-- name: lock_shared_lot
-- Small ingestions add to the same rows: one at a time, so that two never wait for each other crosswise.
SELECT pg_advisory_xact_lock(hashtextextended('tripsmith.gold', 0))

-- name: add_trip_groups
INSERT INTO gold.trip_group_0 AS gold (lot, region_id, hour, origin_cell, destination_cell, trips)
SELECT 0, region_id, extract(hour FROM started_at)::int, gold.quadbin(origin_tile, 14),
       gold.quadbin(destination_tile, 14), count(*)
FROM silver.trip_0
WHERE ingestion_id = %(ingestion_id)s
GROUP BY 2, 3, 4, 5
ON CONFLICT (origin_cell, destination_cell, hour, region_id) DO UPDATE SET trips = gold.trips + excluded.trips

-- name: add_region_weeks
INSERT INTO gold.region_week_0 AS gold (lot, region_id, datasource_id, week, trips, first_trip, last_trip)
SELECT 0, region_id, datasource_id, date_trunc('week', started_at)::date, count(*), min(started_at), max(started_at)
FROM silver.trip_0
WHERE ingestion_id = %(ingestion_id)s
GROUP BY 2, 3, 4
ON CONFLICT (region_id, datasource_id, week) DO UPDATE
SET trips = gold.trips + excluded.trips,
    first_trip = least(gold.first_trip, excluded.first_trip),
    last_trip = greatest(gold.last_trip, excluded.last_trip)

-- name: subtract_trip_groups
WITH gone AS (
    SELECT region_id, extract(hour FROM started_at)::int AS hour, gold.quadbin(origin_tile, 14) AS origin_cell,
           gold.quadbin(destination_tile, 14) AS destination_cell, count(*) AS trips
    FROM silver.trip_0
    WHERE ingestion_id = %(ingestion_id)s
    GROUP BY 1, 2, 3, 4
)
UPDATE gold.trip_group_0 AS gold
SET trips = gold.trips - gone.trips
FROM gone
WHERE (gold.region_id, gold.hour, gold.origin_cell, gold.destination_cell)
    = (gone.region_id, gone.hour, gone.origin_cell, gone.destination_cell)

-- name: drop_empty_trip_groups
DELETE FROM gold.trip_group_0 WHERE trips = 0

-- name: subtract_region_weeks
-- The first and the last trip cannot be subtracted: the weeks that the ingestion touched are counted anew.
WITH touched AS (
    SELECT DISTINCT region_id, datasource_id, date_trunc('week', started_at)::date AS week
    FROM silver.trip_0
    WHERE ingestion_id = %(ingestion_id)s
), remaining AS (
    SELECT region_id, datasource_id, date_trunc('week', started_at)::date AS week, count(*) AS trips,
           min(started_at) AS first_trip, max(started_at) AS last_trip
    FROM silver.trip_0
    WHERE ingestion_id <> %(ingestion_id)s
      AND (region_id, datasource_id, date_trunc('week', started_at)::date) IN (SELECT * FROM touched)
    GROUP BY 1, 2, 3
)
MERGE INTO gold.region_week_0 AS gold
USING (SELECT * FROM touched LEFT JOIN remaining USING (region_id, datasource_id, week)) AS counted
ON (gold.region_id, gold.datasource_id, gold.week) = (counted.region_id, counted.datasource_id, counted.week)
WHEN MATCHED AND counted.trips IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE
    SET trips = counted.trips, first_trip = counted.first_trip, last_trip = counted.last_trip
