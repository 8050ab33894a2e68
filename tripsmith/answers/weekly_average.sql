-- Trips by week, named by its Monday.

-- name: weeks_of_region
-- Gold has it counted; without a region, of all.
SELECT week, sum(trips)::bigint AS trips, min(first_trip)::date, max(last_trip)::date
FROM gold.region_week
WHERE %(region_id)s::int IS NULL OR region_id = %(region_id)s
GROUP BY week

-- name: weeks_of_area
SELECT date_trunc('week', trip.started_at)::date AS week, count(*) AS trips,
       min(trip.started_at)::date, max(trip.started_at)::date
FROM silver.trip AS trip
WHERE {condition}
  AND (%(start)s::date IS NULL OR trip.started_at >= %(start)s::date)
  AND (%(end)s::date IS NULL OR trip.started_at < %(end)s::date + 1)
GROUP BY 1
