-- A sample of each ingestion's trips, chosen by their content, so that two of them tell how many trips two files share.
-- {trips} are the ingestion's trips, {bits} how many bits of a hash must be zero for a trip to be in the sample.

-- name: use_every_core
-- The planner, without statistics of tables that are new, would have one core read them all.
SELECT set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0.01', true)

-- name: trips_of_piece
SELECT started_at, origin_tile, destination_tile FROM {piece}

-- name: trips_of_shared
SELECT started_at, origin_tile, destination_tile FROM silver.trip_0 WHERE ingestion_id = {ingestion_id}

-- name: sampled_hashes
-- Apart from the query that keeps them, as PostgreSQL has one core alone read what is inserted.
SELECT hash, count(*)::int
FROM (SELECT silver.trip_hash(started_at, origin_tile, destination_tile) AS hash FROM ({trips}) AS trip) AS hashed
WHERE hash & ((1::bigint << {bits}) - 1) = 0
GROUP BY hash

-- name: keep_sample
-- What an owner that was killed while it committed has kept is the same.
INSERT INTO silver.trip_sample (hash, ingestion_id, trips, bits)
SELECT sampled.hash, %(ingestion_id)s, sampled.trips, %(bits)s
FROM unnest(%(hashes)s::bigint[], %(trips)s::int[]) AS sampled (hash, trips)
ON CONFLICT DO NOTHING

-- name: delete_sample
DELETE FROM silver.trip_sample WHERE ingestion_id = %(ingestion_id)s

-- name: lock_samples
-- Two ingestions that end at once: the second to come here sees the sample of the first.
SELECT pg_advisory_xact_lock(hashtextextended('tripsmith.trip_sample', 0))

-- name: compare_samples
-- Trips that others have too, by ingestion, of those of its own that the coarser of both samples would have kept; ingestion 0
-- stands for all others together. A hash that is in both samples is one that both keep. Trips that are alike count as often
-- as both have them. OFFSET 0 has PostgreSQL look each hash up in the index: it would read whole samples otherwise.
WITH own AS (
    SELECT hash, trips, bits FROM silver.trip_sample WHERE ingestion_id = %(ingestion_id)s
), met AS (
    SELECT own.hash, own.trips, other.ingestion_id, other.trips AS their_trips, greatest(own.bits, other.bits) AS bits
    FROM own
    CROSS JOIN LATERAL (
        SELECT sample.ingestion_id, sample.trips, sample.bits
        FROM silver.trip_sample AS sample
        WHERE sample.hash = own.hash AND sample.ingestion_id <> %(ingestion_id)s
        OFFSET 0
    ) AS other
), coarsest AS (
    SELECT max(bits) AS bits FROM met
), shared AS (
    SELECT ingestion_id, bits, sum(least(trips, their_trips))::bigint AS trips
    FROM met
    GROUP BY ingestion_id, bits
    UNION ALL
    SELECT 0, min(hashes.bits), sum(least(hashes.trips, hashes.their_trips))::bigint
    FROM (
        SELECT coarsest.bits, met.trips, sum(met.their_trips) AS their_trips
        FROM met, coarsest
        WHERE met.hash & ((1::bigint << coarsest.bits) - 1) = 0
        GROUP BY coarsest.bits, met.hash, met.trips
    ) AS hashes
    HAVING count(*) > 0
)
SELECT shared.ingestion_id, shared.bits, shared.trips,
       (SELECT sum(own.trips)::bigint FROM own WHERE own.hash & ((1::bigint << shared.bits) - 1) = 0)
FROM shared
ORDER BY shared.ingestion_id
