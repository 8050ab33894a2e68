-- A segment: the trips of one large ingestion, or of many small ones, by place. Identifiers are in braces; {trips} is what it
-- is made of, {end} and {other} are the columns of one end of a trip and of the other.

-- name: add_segment
INSERT INTO gold.segment DEFAULT VALUES RETURNING id

-- name: call_connection
SELECT set_config('application_name', %(name)s, false)

-- name: use_memory
-- Packing sorts by cell: hashed, a trip would go to a random place in memory, and take half as long again.
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true),
       set_config('enable_hashagg', %(hashed)s, true)

-- name: make_table
CREATE TABLE {table} (LIKE {parent} INCLUDING STORAGE)

-- name: pack_trips
INSERT INTO {table} (segment, parent, cell, region_id, datasource_id, trips, points, others, hours)
SELECT {segment}, cell & gold.tile_mask({parent_zoom}), cell, region_id, datasource_id, count(*),
       string_agg(point_send(point({end_longitude}, {end_latitude})), ''),
       string_agg(point_send(point({other_longitude}, {other_latitude})), ''),
       string_agg(int4send(silver.day_hour(started_at)), '')
FROM (SELECT *, {end_tile} & gold.tile_mask({zoom}) AS cell FROM ({trips}) AS every_trip) AS trip
GROUP BY cell, region_id, datasource_id

-- name: count_weeks
-- OFFSET 0 keeps the planner from working out the day of the week seven times. In order, cells that are asked for together
-- lie in the same pages: an index scan then reads a twentieth of them.
INSERT INTO {table} (segment, zoom, parent, cell, region_id, datasource_id, week,
                     monday, tuesday, wednesday, thursday, friday, saturday, sunday)
SELECT {segment}, {zoom}, cell & gold.tile_mask({parent_zoom}), cell, region_id, datasource_id, week::date,
       count(*) FILTER (WHERE day = 1), count(*) FILTER (WHERE day = 2), count(*) FILTER (WHERE day = 3),
       count(*) FILTER (WHERE day = 4), count(*) FILTER (WHERE day = 5), count(*) FILTER (WHERE day = 6),
       count(*) FILTER (WHERE day = 7)
FROM (
    SELECT region_id, datasource_id, {end_tile} & gold.tile_mask({zoom}) AS cell,
           date_bin('7 days', started_at, '0001-01-01') AS week, date_part('isodow', started_at)::int AS day
    FROM ({trips}) AS every_trip
    OFFSET 0
) AS trip
GROUP BY cell, region_id, datasource_id, week
ORDER BY 3, cell

-- name: coarsen_weeks
INSERT INTO {table} (segment, zoom, parent, cell, region_id, datasource_id, week,
                     monday, tuesday, wednesday, thursday, friday, saturday, sunday)
SELECT {segment}, {zoom}, parent & gold.tile_mask({parent_zoom}), parent, region_id, datasource_id, week,
       sum(monday), sum(tuesday), sum(wednesday), sum(thursday), sum(friday), sum(saturday), sum(sunday)
FROM {table}
WHERE zoom = {finer_zoom}
GROUP BY parent, region_id, datasource_id, week

-- name: index_cells
CREATE INDEX ON {table} (zoom, parent, cell)

-- name: count_cell_hours
INSERT INTO {table} (segment, zoom, parent, cell, region_id, datasource_id, hours)
SELECT {segment}, {zoom}, cell & gold.tile_mask({parent_zoom}), cell, region_id, datasource_id,
       string_agg(int4send(hour) || int4send(trips::int), '')
FROM (
    SELECT {end_tile} & gold.tile_mask({zoom}) AS cell, region_id, datasource_id, silver.day_hour(started_at) AS hour,
           count(*) AS trips
    FROM ({trips}) AS every_trip
    GROUP BY 1, 2, 3, 4
) AS hours
GROUP BY cell, region_id, datasource_id

-- name: coarsen_hours
-- Side by side: an hour may be there several times, once for each finer cell.
INSERT INTO {table} (segment, zoom, parent, cell, region_id, datasource_id, hours)
SELECT {segment}, {zoom}, parent & gold.tile_mask({parent_zoom}), parent, region_id, datasource_id, string_agg(hours, '')
FROM {table}
WHERE zoom = {finer_zoom}
GROUP BY parent, region_id, datasource_id

-- name: index_trips
CREATE INDEX ON {table} (parent, cell)

-- name: count_hours
INSERT INTO {table} (segment, region_id, datasource_id, hour, trips)
SELECT {segment}, region_id, datasource_id, silver.day_hour(started_at), count(*)
FROM ({trips}) AS trip
GROUP BY 2, 3, 4

-- name: count_lengths
INSERT INTO {table} (segment, region_id, kilometres, trips)
SELECT {segment}, region_id, kilometres, count(*)
FROM (
    SELECT region_id, floor(silver.distance_km(origin_longitude, origin_latitude,
                                               destination_longitude, destination_latitude))::int AS kilometres
    FROM ({trips}) AS every_trip
) AS trip
GROUP BY 2, 3

-- name: promise_segment
-- The check tells PostgreSQL, when the table is attached, that every row belongs to the segment.
ALTER TABLE {table} ADD CONSTRAINT one_segment CHECK (segment IS NOT NULL AND segment = {segment})

-- name: analyze
ANALYZE {table}

-- name: attach
ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ({segment})

-- name: drop_table
DROP TABLE IF EXISTS {table}

-- name: delete_segment
-- Its ingestions, if they are still there, are answered from silver until they have a segment again.
DELETE FROM gold.segment WHERE id = %(id)s
