-- The format `trips`, any rows: what can be read is loaded, the rest is rejected, each row with its reasons.
-- Whatever trips_clean.sql takes, this takes too, and alike.

-- name: judge
-- Every row with what could be read of it, and what is wrong with it.
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
WITH shaped AS MATERIALIZED (
    SELECT "_line" AS line,
           {region} AS region, {datasource} AS datasource,
           {origin_coord} AS origin_text, {destination_coord} AS destination_text, {datetime} AS time_text,
           silver.point_pair({origin_coord}) AS origin, silver.point_pair({destination_coord}) AS destination,
           silver.local_time({datetime}) AS local_time, silver.utc_offset_minutes({datetime}) AS utc_offset_minutes,
           source
    FROM {bronze} AS source
    WHERE {rows}
), judged AS (
    SELECT shaped.*, region.region_id, datasource.datasource_id,
           array_remove(ARRAY[
               CASE WHEN length(shaped.region) > 400 THEN 'region is longer than 400 characters'
                    WHEN region.region_id IS NULL THEN 'region is missing' END,
               CASE WHEN length(shaped.datasource) > 400 THEN 'datasource is longer than 400 characters'
                    WHEN datasource.datasource_id IS NULL THEN 'datasource is missing' END,
               silver.point_fault('origin_coord', shaped.origin_text, shaped.origin),
               silver.point_fault('destination_coord', shaped.destination_text, shaped.destination),
               silver.time_fault('datetime', shaped.time_text, shaped.local_time)
           ], NULL) AS reasons
    FROM shaped
    LEFT JOIN silver.region_spelling AS region ON region.spelling = shaped.region
    LEFT JOIN silver.datasource_spelling AS datasource ON datasource.spelling = shaped.datasource
)
SELECT line, region_id, datasource_id, origin, destination, local_time, utc_offset_minutes, reasons,
       CASE WHEN reasons <> '{{}}' THEN {record} END AS record
FROM judged

-- name: reject
INSERT INTO silver.rejected_row (ingestion_id, line, record, reasons)
SELECT {ingestion_id}, judged.line, convert_to(judged.record, 'UTF8'), judged.reasons
FROM pg_temp.judged
WHERE judged.reasons <> '{{}}'

-- name: columns
started_at, region_id, datasource_id, origin_tile, destination_tile, origin_longitude, origin_latitude,
destination_longitude, destination_latitude, line, utc_offset_minutes

-- name: trips
SELECT typed.started_at, typed.region_id, typed.datasource_id,
       silver.tile(typed.origin[0], typed.origin[1]) AS origin_tile,
       silver.tile(typed.destination[0], typed.destination[1]) AS destination_tile,
       typed.origin[0] AS origin_longitude, typed.origin[1] AS origin_latitude,
       typed.destination[0] AS destination_longitude, typed.destination[1] AS destination_latitude,
       typed.line, typed.utc_offset_minutes
FROM (
    SELECT judged.local_time::timestamp AS started_at, judged.origin::point AS origin,
           judged.destination::point AS destination, judged.line, judged.region_id, judged.datasource_id,
           judged.utc_offset_minutes
    FROM pg_temp.judged
    WHERE judged.reasons = '{{}}'
    OFFSET 0
) AS typed
