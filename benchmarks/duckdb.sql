-- The same three layers in DuckDB: text with line numbers, typed and checked with tiles, grouped and counted.
CREATE TABLE bronze AS
SELECT row_number() OVER () + 1 AS line, *
FROM read_csv('{source}', header = true, all_varchar = true);

CREATE TABLE silver AS
WITH typed AS (
    SELECT line, region, datasource, try_cast(datetime AS timestamp) AS started_at,
           try_cast(split_part(substr(origin_coord, 8), ' ', 1) AS double) AS origin_longitude,
           try_cast(rtrim(split_part(substr(origin_coord, 8), ' ', 2), ')') AS double) AS origin_latitude,
           try_cast(split_part(substr(destination_coord, 8), ' ', 1) AS double) AS destination_longitude,
           try_cast(rtrim(split_part(substr(destination_coord, 8), ' ', 2), ')') AS double) AS destination_latitude
    FROM bronze
)
SELECT *,
       (floor((origin_longitude + 180) * 186413.51111111112)::bigint << 32)
           | floor(33554432 - 10680707.430881744 * atanh(sin(radians(origin_latitude))))::bigint AS origin_tile,
       (floor((destination_longitude + 180) * 186413.51111111112)::bigint << 32)
           | floor(33554432 - 10680707.430881744 * atanh(sin(radians(destination_latitude))))::bigint AS destination_tile
FROM typed
WHERE started_at IS NOT NULL AND region <> '' AND datasource <> ''
  AND origin_longitude BETWEEN -180 AND 180 AND origin_latitude BETWEEN -90 AND 90
  AND destination_longitude BETWEEN -180 AND 180 AND destination_latitude BETWEEN -90 AND 90;

CREATE TABLE rejected AS SELECT * FROM bronze WHERE line NOT IN (SELECT line FROM silver);

CREATE TABLE trip_group AS
SELECT region, hour(started_at) AS hour, origin_tile & 288212784032772096 AS origin,
       destination_tile & 288212784032772096 AS destination, count(*) AS trips
FROM silver
GROUP BY ALL;

CREATE TABLE region_week AS
SELECT region, datasource, date_trunc('week', started_at) AS week, count(*) AS trips,
       min(started_at) AS first_trip, max(started_at) AS last_trip
FROM silver
GROUP BY ALL;
