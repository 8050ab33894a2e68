-- The format `trips`, rows of the usual shape: POINT (lon lat) and YYYY-MM-DD HH:MM:SS.
-- A value of any other shape is made '' here, whose cast fails: the chunk is then taken by trips_careful.sql instead.
-- A row with an unknown region or source, or out of range, is left out: the count tells, with the same effect.
-- Points are cast as PostgreSQL's own type, a tenth of the cost of a regular expression; replace() searches bytes, where
-- substr() counts characters.

-- name: trips
SELECT trip.started_at, trip.origin_longitude, trip.origin_latitude, trip.destination_longitude, trip.destination_latitude,
       silver.tile(trip.origin_longitude, trip.origin_latitude) AS origin_tile,
       silver.tile(trip.destination_longitude, trip.destination_latitude) AS destination_tile,
       trip.line, {lot}::int AS lot, {ingestion_id}::int AS ingestion_id, region.region_id, datasource.datasource_id,
       NULL::smallint AS utc_offset_minutes
FROM (
    SELECT shaped.started_at, shaped.region, shaped.datasource, shaped.line,
           shaped.origin[0] AS origin_longitude, shaped.origin[1] AS origin_latitude,
           shaped.destination[0] AS destination_longitude, shaped.destination[1] AS destination_latitude
    FROM (
        -- OFFSET 0 keeps the planner from repeating casts and subscripts wherever their result is used.
        SELECT CASE WHEN starts_with({origin_coord}, 'POINT (')
                    THEN replace(replace({origin_coord}, 'POINT (', '('), ' ', ',') ELSE '' END::point AS origin,
               CASE WHEN starts_with({destination_coord}, 'POINT (')
                    THEN replace(replace({destination_coord}, 'POINT (', '('), ' ', ',') ELSE '' END::point AS destination,
               CASE WHEN {datetime} LIKE '____-__-__ __:__:__' OR {datetime} LIKE '____-__-__T__:__:__'
                    THEN {datetime} ELSE '' END::timestamp AS started_at, {datetime} AS time_text,
               {region} AS region, {datasource} AS datasource, "_line" AS line
        FROM {bronze}
        WHERE {rows}
        OFFSET 0
    ) AS shaped
    -- The cast takes `P9` for an hour and `2T` for a day: what it made has to read as what was written.
    WHERE shaped.started_at::text
        = CASE WHEN shaped.time_text LIKE '% %' THEN shaped.time_text ELSE replace(shaped.time_text, 'T', ' ') END
    OFFSET 0
) AS trip
JOIN silver.region_spelling AS region ON region.spelling = trip.region
JOIN silver.datasource_spelling AS datasource ON datasource.spelling = trip.datasource
WHERE trip.origin_longitude BETWEEN -180 AND 180 AND trip.origin_latitude BETWEEN -90 AND 90
  AND trip.destination_longitude BETWEEN -180 AND 180 AND trip.destination_latitude BETWEEN -90 AND 90
