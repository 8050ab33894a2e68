-- The partitions of a lot: shown and dropped.

-- name: attach
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ({lot})

-- name: drop
DROP TABLE IF EXISTS {partition}

-- name: rename
ALTER TABLE {partition} RENAME TO {name}

-- name: delete_trips
DELETE FROM silver.trip_0 WHERE ingestion_id = %(ingestion_id)s
