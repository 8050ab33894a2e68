-- The format `trips`, any rows: what can be read is loaded, the rest is rejected, each row with its reasons.
-- Whatever trips_clean.sql takes, this takes too, and alike.

-- name: judge
-- Every row with what could be read of it, and what is wrong with it.
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
WITH shaped AS MATERIALIZED (
    SELECT "_line" AS line,
           {region} AS region, {datasource} AS datasource,
           origin_text, destination_text, time_text,
           silver.point_pair(origin_text) AS origin, silver.point_pair(destination_text) AS destination,
           silver.time_parts(time_text) AS time_parts,
           source
    FROM {bronze} AS source
    -- OFFSET 0 keeps the planner from repeating the expressions wherever their result is used.
    CROSS JOIN LATERAL (
        SELECT silver.unwrapped({origin_coord}) AS origin_text,
               silver.unwrapped({destination_coord}) AS destination_text,
               silver.unwrapped({datetime}) AS time_text
        OFFSET 0
    ) AS written
    WHERE {rows}
), timed AS MATERIALIZED (
    SELECT shaped.*, silver.local_time(time_parts) AS local_time
    FROM shaped
), judged AS (
    SELECT shaped.*, region.region_id, datasource.datasource_id,
           silver.utc_offset_minutes(time_parts) AS utc_offset_minutes,
           array_remove(ARRAY[
               CASE WHEN length(shaped.region) > 400 THEN 'region is longer than 400 characters'
                    WHEN region.region_id IS NULL
                        THEN coalesce(silver.missing_fault('region', shaped.region, {missing_values}), 'region is missing') END,
               CASE WHEN length(shaped.datasource) > 400 THEN 'datasource is longer than 400 characters'
                    WHEN datasource.datasource_id IS NULL
                        THEN coalesce(silver.missing_fault('datasource', shaped.datasource, {missing_values}),
                                      'datasource is missing') END,
               silver.point_fault('origin_coord', shaped.origin_text, shaped.origin, {missing_values}),
               silver.point_fault('destination_coord', shaped.destination_text, shaped.destination, {missing_values}),
               silver.time_fault('datetime', shaped.time_text, shaped.time_parts, shaped.local_time, {missing_values})
           ], NULL) AS reasons
    FROM timed AS shaped
    LEFT JOIN silver.region_spelling AS region ON region.spelling = shaped.region
    LEFT JOIN silver.datasource_spelling AS datasource ON datasource.spelling = shaped.datasource
)
SELECT line, region_id, datasource_id, origin, destination, started_at, utc_offset_minutes,
       silver.suspicions(started_at, {after_tomorrow}) AS suspicious, reasons,
       CASE WHEN reasons <> '{{}}' THEN {record} END AS record
FROM (
    SELECT judged.*, CASE WHEN reasons = '{{}}' THEN local_time::timestamp END AS started_at
    FROM judged
    OFFSET 0
) AS judged

-- name: reject
INSERT INTO silver.rejected_row (ingestion_id, line, record, reasons)
SELECT {ingestion_id}, judged.line, convert_to(judged.record, 'UTF8'), judged.reasons
FROM pg_temp.judged
WHERE judged.reasons <> '{{}}'

-- name: columns
started_at, region_id, datasource_id, origin_tile, destination_tile, origin_longitude, origin_latitude,
destination_longitude, destination_latitude, line, utc_offset_minutes, suspicious

-- name: trips
SELECT typed.started_at, typed.region_id, typed.datasource_id,
       silver.tile(typed.origin[0], typed.origin[1]) AS origin_tile,
       silver.tile(typed.destination[0], typed.destination[1]) AS destination_tile,
       typed.origin[0] AS origin_longitude, typed.origin[1] AS origin_latitude,
       typed.destination[0] AS destination_longitude, typed.destination[1] AS destination_latitude,
       typed.line, typed.utc_offset_minutes, typed.suspicious
FROM (
    SELECT judged.started_at, judged.origin::point AS origin,
           judged.destination::point AS destination, judged.line, judged.region_id, judged.datasource_id,
           judged.utc_offset_minutes, judged.suspicious
    FROM pg_temp.judged
    WHERE judged.reasons = '{{}}'
    OFFSET 0
) AS typed
