-- The partitions of a lot: shown and dropped.

-- name: attach
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ({lot})

-- name: count_pieces
-- Pieces of silver that are attached; bronze has as many, over all its tables.
SELECT count(*) FROM pg_catalog.pg_inherits WHERE inhparent = 'silver.trip'::regclass

-- name: pour_bronze
INSERT INTO {shared} ({columns}, "_line", "_lot", "_ingestion_id")
SELECT {columns}, "_line", 0, "_ingestion_id" FROM {piece}

-- name: pour_trips
INSERT INTO silver.trip_0 (started_at, region_id, datasource_id, origin_tile, destination_tile, origin_longitude,
                           origin_latitude, destination_longitude, destination_latitude, line, lot, ingestion_id,
                           utc_offset_minutes, suspicious)
SELECT started_at, region_id, datasource_id, origin_tile, destination_tile, origin_longitude, origin_latitude,
       destination_longitude, destination_latitude, line, 0, ingestion_id, utc_offset_minutes,
       suspicious
FROM {piece}

-- name: drop
DROP TABLE IF EXISTS {partition}

-- name: rename
ALTER TABLE {partition} RENAME TO {name}

-- name: delete_trips
DELETE FROM silver.trip_0 WHERE ingestion_id = %(ingestion_id)s
