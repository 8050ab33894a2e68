-- Silver: one typed trip a valid bronze row. A format brings two ways of making it, in files of its own:
-- <format>_clean.sql takes rows of the usual shape and loads them fast, <format>_careful.sql takes any.

-- name: fill_piece
-- The chunk of a large ingestion, as a table that nobody sees before it is attached. Until then autovacuum would only
-- take cores and disk from the chunks that follow.
CREATE TABLE {piece} WITH (autovacuum_enabled = false) AS
{trips}

-- name: fill_shared
INSERT INTO silver.trip_0 ({columns}, lot, ingestion_id)
SELECT trip.*, {lot}, {ingestion_id} FROM ({trips}) AS trip

-- name: complete_piece
-- What is the same in every row is kept once, in the catalogue, not in the rows: an eighth less of disk.
-- The check tells PostgreSQL, when the piece is attached, that every row belongs where it is to be.
ALTER TABLE {piece}
    ADD COLUMN IF NOT EXISTS utc_offset_minutes smallint,
    ADD COLUMN IF NOT EXISTS suspicious text[],
    ADD COLUMN lot int DEFAULT {lot},
    ADD COLUMN ingestion_id int DEFAULT {ingestion_id},
    ADD CONSTRAINT one_range
        CHECK (lot IS NOT NULL AND line IS NOT NULL AND lot = {lot} AND line >= {first} AND line < {stop})

-- name: leave_to_autovacuum
ALTER TABLE {piece} RESET (autovacuum_enabled)

-- name: attach_piece
ALTER TABLE silver.trip ATTACH PARTITION {piece} FOR VALUES FROM ({lot}, {first}) TO ({lot}, {stop})

-- name: add_region
-- Takes the id of the region that has this key already; a conflict must not leave a hole in the answer.
WITH added AS (
    INSERT INTO silver.region (key, name) VALUES (%(key)s, %(name)s)
    ON CONFLICT (key) DO UPDATE SET key = excluded.key
    RETURNING id
)
INSERT INTO silver.region_spelling (spelling, region_id)
SELECT %(spelling)s, added.id FROM added
ON CONFLICT DO NOTHING

-- name: add_datasource
WITH added AS (
    INSERT INTO silver.datasource (key, name) VALUES (%(key)s, %(name)s)
    ON CONFLICT (key) DO UPDATE SET key = excluded.key
    RETURNING id
)
INSERT INTO silver.datasource_spelling (spelling, datasource_id)
SELECT %(spelling)s, added.id FROM added
ON CONFLICT DO NOTHING

-- name: number_of_name
-- Of a name that has no number, this makes text that no cast takes: the chunk's attempt ends there.
CASE {name} {known} ELSE ({name} || ' is new')::int END

-- name: count_own_names
-- The names that a file has of its own, where an option replaces them.
SELECT {column}, count(*) FROM {bronze} WHERE {rows} GROUP BY {column}

-- name: after_tomorrow
-- The first day of which trips are suspicious. Known once a chunk, and the same whenever the chunk is loaded again. Local time
-- is ahead of UTC by less than a day.
(SELECT (ingestion.created_at AT TIME ZONE 'UTC')::date + 2 FROM ops.ingestion WHERE ingestion.id = {ingestion_id})

-- name: mark_trips
-- How many of a chunk's trips are suspicious, and how many state UTC. The clean way loads neither.
INSERT INTO silver.trip_mark (ingestion_id, region_id, datasource_id, mark, trips)
SELECT {ingestion_id}, judged.region_id, judged.datasource_id, marked.mark, count(*)
FROM pg_temp.judged
CROSS JOIN LATERAL unnest(CASE WHEN judged.utc_offset_minutes = 0 THEN array_append(judged.suspicious, 'states_utc')
                               ELSE judged.suspicious END) AS marked (mark)
WHERE judged.reasons = '{{}}'
GROUP BY judged.region_id, judged.datasource_id, marked.mark

-- name: csv_field
-- A value as a field of a CSV record: quoted where it has to be.
CASE WHEN {value} ~ {special} THEN '"' || replace({value}, '"', '""') || '"' ELSE {value} END

-- name: drop_judged
DROP TABLE pg_temp.judged
