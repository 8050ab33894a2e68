-- Gold: trips grouped and counted. Identifiers are in braces, {lot} is a literal, and {keys} are those of each of a large
-- ingestion's pieces of silver, one after the other: of silver.trip where the lot is so and so, the planner would expect a
-- few rows only, and have one core do it all.

-- name: use_every_core
-- Grouping a large ingestion is worth every core, and memory for its hash tables; the planner, without statistics of
-- tables that are new, would think otherwise. A tuple that is passed on costs a little: each core shall count first.
SELECT set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0.01', true),
       set_config('hash_mem_multiplier', '8', true)

-- name: trip_group_keys
-- What is grouped by, of one piece; above the union of all, each trip would be handed on whole first.
-- The bits of zoom 13: at 14 there are four times as many groups, and grouping takes twice as long.
-- Hashing three keys costs a third more than hashing one, so both tiles and the hour are packed into one. Of a tile, zoom 13
-- has the bits 13 to 25 (y) and 45 to 57 (x). PostgreSQL hashes a bigint by xor of its halves, so the bits that differ within
-- a city go to places that do not meet: x of the origin to 32 to 44, of the destination to 45 to 57, y to 6 to 18 and 19 to 31,
-- the hour to 58 to 62. Packed otherwise, most groups had the same hash as others, and a table that memory did not hold
-- took minutes.
SELECT region_id,
       ((origin_tile & x'03FFE00000000000'::bigint) >> 13) | ((origin_tile & x'0000000003FFE000'::bigint) >> 7)
       | (destination_tile & x'03FFE00000000000'::bigint) | ((destination_tile & x'0000000003FFE000'::bigint) << 6)
       | (date_part('hour', started_at)::bigint << 58) AS packed
FROM {piece}

-- name: make_trip_group
CREATE TABLE {gold} AS
SELECT {lot}::int AS lot, region_id, (packed >> 58)::int AS hour,
       ((packed & x'00001FFF00000000'::bigint) << 13) | ((packed & x'000000000007FFC0'::bigint) << 7) AS origin_tile,
       (packed & x'03FFE00000000000'::bigint) | ((packed & x'00000000FFF80000'::bigint) >> 6) AS destination_tile, trips
FROM (
    SELECT region_id, packed, count(*) AS trips
    FROM ({keys}) AS trip
    GROUP BY region_id, packed
) AS groups

-- name: region_week_keys
-- 0001-01-01 was a Monday; bins of a fixed width are cheaper to find than date_trunc's, which knows of the calendar.
SELECT region_id, datasource_id, date_bin('7 days', started_at, '0001-01-01') AS week, started_at
FROM {piece}

-- name: make_region_week
CREATE TABLE {gold} AS
SELECT {lot}::int AS lot, region_id, datasource_id, week::date AS week, trips, first_trip, last_trip
FROM (
    SELECT region_id, datasource_id, week, count(*) AS trips, min(started_at) AS first_trip, max(started_at) AS last_trip
    FROM ({keys}) AS trip
    GROUP BY region_id, datasource_id, week
) AS weeks

-- name: promise_lot
-- The check tells PostgreSQL, when the table is attached, that every row belongs to the lot.
ALTER TABLE {gold} ADD CONSTRAINT one_lot CHECK (lot IS NOT NULL AND lot = {lot})

-- name: lock_shared_lot
-- Small ingestions add to the same rows: one at a time, so that two never wait for each other crosswise.
SELECT pg_advisory_xact_lock(hashtextextended('tripsmith.gold', 0))

-- name: add_trip_groups
INSERT INTO gold.trip_group_0 AS gold (lot, region_id, hour, origin_tile, destination_tile, trips)
SELECT 0, region_id, date_part('hour', started_at)::int, origin_tile & x'03FFE00003FFE000'::bigint,
       destination_tile & x'03FFE00003FFE000'::bigint, count(*)
FROM silver.trip_0
WHERE ingestion_id = %(ingestion_id)s
GROUP BY 2, 3, 4, 5
ON CONFLICT (origin_tile, destination_tile, hour, region_id) DO UPDATE SET trips = gold.trips + excluded.trips

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
    SELECT region_id, date_part('hour', started_at)::int AS hour, origin_tile & x'03FFE00003FFE000'::bigint AS origin_tile,
           destination_tile & x'03FFE00003FFE000'::bigint AS destination_tile, count(*) AS trips
    FROM silver.trip_0
    WHERE ingestion_id = %(ingestion_id)s
    GROUP BY 1, 2, 3, 4
)
UPDATE gold.trip_group_0 AS gold
SET trips = gold.trips - gone.trips
FROM gone
WHERE (gold.region_id, gold.hour, gold.origin_tile, gold.destination_tile)
    = (gone.region_id, gone.hour, gone.origin_tile, gone.destination_tile)

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

-- name: clear_trip_groups
-- DELETE, as TRUNCATE would show readers an empty table before the transaction has filled it again.
DELETE FROM gold.trip_group_0

-- name: clear_region_weeks
DELETE FROM gold.region_week_0
