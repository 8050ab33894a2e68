-- Metrics, all from gold and from what ingestions counted.

-- name: one_snapshot
-- The numbers of one answer belong together, even when an ingestion ends meanwhile.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: list_regions
SELECT region.name, sum(week.trips)::bigint AS trips, min(week.first_trip) AS first_trip,
       max(week.last_trip) AS last_trip,
       (array_agg(datasource.name ORDER BY week.last_trip DESC, datasource.name))[1] AS latest_datasource
FROM gold.region_week AS week
JOIN silver.region AS region ON region.id = week.region_id
JOIN silver.datasource AS datasource ON datasource.id = week.datasource_id
GROUP BY region.id, region.name
ORDER BY trips DESC, region.name

-- name: list_datasources
SELECT datasource.name, sum(week.trips)::bigint AS trips, min(week.first_trip) AS first_trip,
       max(week.last_trip) AS last_trip,
       array_agg(DISTINCT region.name ORDER BY region.name) AS regions
FROM gold.region_week AS week
JOIN silver.region AS region ON region.id = week.region_id
JOIN silver.datasource AS datasource ON datasource.id = week.datasource_id
GROUP BY datasource.id, datasource.name
ORDER BY trips DESC, datasource.name

-- name: sum_ingestions
SELECT coalesce(sum(rows_rejected), 0)::bigint, count(*) FROM ops.ingestion WHERE state = 'succeeded'
