-- Trips by week, named by its Monday.

-- name: weeks_of_region
-- Gold has it counted from the first moment; without a region and a data source, of all. The first and the last trip are what
-- the data cover, whatever else is asked.
SELECT week, sum(trips)::bigint AS trips, min(first_trip)::date, max(last_trip)::date
FROM gold.region_week
WHERE (%(region_id)s::int IS NULL OR region_id = %(region_id)s)
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)
GROUP BY week
ORDER BY week
