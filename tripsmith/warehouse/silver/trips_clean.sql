-- The format `trips`, rows of the usual shape: POINT (lon lat), no nearer to a pole than a map's tiles reach, and
-- YYYY-MM-DD HH:MM:SS, also with a T between, from 1900 to tomorrow.
-- A value that no cast takes raises an error, a row that does not pass a check is left out, and the count tells: either
-- way the chunk is then taken by trips_careful.sql instead.
-- Points are cast as PostgreSQL's own type, a tenth of the cost of a regular expression. right() skips six characters and
-- copies the rest, where substr() would count all of them.

-- name: columns
started_at, region_id, datasource_id, origin_tile, destination_tile, origin_longitude, origin_latitude,
destination_longitude, destination_latitude, line

-- name: trips
SELECT trip.started_at, trip.region_id, trip.datasource_id,
       silver.inner_tile(trip.origin_longitude, trip.origin_latitude) AS origin_tile,
       silver.inner_tile(trip.destination_longitude, trip.destination_latitude) AS destination_tile,
       trip.origin_longitude, trip.origin_latitude, trip.destination_longitude, trip.destination_latitude,
       trip.line
FROM (
    SELECT shaped.started_at, {region_id} AS region_id, {datasource_id} AS datasource_id, shaped.line,
           shaped.origin[0] AS origin_longitude, shaped.origin[1] AS origin_latitude,
           shaped.destination[0] AS destination_longitude, shaped.destination[1] AS destination_latitude
    FROM (
        -- OFFSET 0 keeps the planner from repeating casts and subscripts wherever their result is used.
        SELECT CASE WHEN {origin_coord} LIKE 'POINT (%'
                    THEN replace(right({origin_coord}, -6), ' ', ',') ELSE '' END::point AS origin,
               CASE WHEN {destination_coord} LIKE 'POINT (%'
                    THEN replace(right({destination_coord}, -6), ' ', ',') ELSE '' END::point AS destination,
               {datetime}::timestamp AS started_at, {datetime} AS time_text,
               {region} AS region, {datasource} AS datasource, "_line" AS line
        FROM {bronze}
        WHERE {rows}
        OFFSET 0
    ) AS shaped
    {join_regions}
    {join_datasources}
    -- The cast takes `now`, `P9` for an hour and `2T` for a day: what it made has to read as what was written.
    WHERE (shaped.started_at::text = shaped.time_text
           OR (shaped.time_text LIKE '__________T%' AND shaped.started_at::text = replace(shaped.time_text, 'T', ' ')))
      -- Others are suspicious, which the careful way marks.
      AND shaped.started_at >= '1900-01-01' AND shaped.started_at < {after_tomorrow}
      AND shaped.origin <@ box '(-180,-85.05),(180,85.05)' AND shaped.destination <@ box '(-180,-85.05),(180,85.05)'
    OFFSET 0
) AS trip
