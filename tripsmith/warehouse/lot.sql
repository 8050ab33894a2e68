-- The partitions of a lot: made, shown and dropped.

-- name: create
-- Vacuum may leave these tables alone while they grow: nothing is deleted from them.
CREATE TABLE IF NOT EXISTS {partition} (LIKE {table} INCLUDING DEFAULTS) WITH (autovacuum_enabled = false)

-- name: promise_lot
-- The check tells PostgreSQL that every row belongs to the lot, so that attaching does not read them all.
ALTER TABLE {partition} ADD CONSTRAINT one_lot CHECK ({column} IS NOT NULL AND {column} = {lot})

-- name: attach
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ({lot})

-- name: forget_promise
ALTER TABLE {partition} DROP CONSTRAINT one_lot

-- name: drop
DROP TABLE IF EXISTS {partition}

-- name: delete_trips
DELETE FROM silver.trip_0 WHERE ingestion_id = %(ingestion_id)s

-- name: delete_bronze
DELETE FROM {partition} WHERE "_ingestion_id" = {ingestion_id}
