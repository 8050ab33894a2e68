-- How trips are spread over time and length, and why rows were rejected.

-- name: count_weeks
SELECT week, sum(trips)::bigint
FROM gold.region_week
WHERE %(region_id)s::int IS NULL OR region_id = %(region_id)s
GROUP BY week
ORDER BY week

-- name: count_weekday_hours
-- 1970-01-01 was a Thursday, the fourth day of its week; see gold.region_hour for what an hour is.
SELECT mod(mod(hour >> 5, 7) + 10, 7) + 1, hour & 31, sum(trips)::bigint
FROM gold.region_hour
WHERE segment = ANY(%(segments)s) AND (%(region_id)s::int IS NULL OR region_id = %(region_id)s)
GROUP BY 1, 2

-- name: scan_weekday_hours
SELECT date_part('isodow', trip.started_at)::int, date_part('hour', trip.started_at)::int, count(*)
FROM silver.trip AS trip
WHERE {scanned} AND (%(region_id)s::int IS NULL OR trip.region_id = %(region_id)s)
GROUP BY 1, 2

-- name: count_lengths
SELECT kilometres, sum(trips)::bigint
FROM gold.trip_length
WHERE segment = ANY(%(segments)s) AND (%(region_id)s::int IS NULL OR region_id = %(region_id)s)
GROUP BY 1

-- name: scan_lengths
SELECT floor(silver.distance_km(trip.origin_longitude, trip.origin_latitude,
                                trip.destination_longitude, trip.destination_latitude))::int, count(*)
FROM silver.trip AS trip
WHERE {scanned} AND (%(region_id)s::int IS NULL OR trip.region_id = %(region_id)s)
GROUP BY 1

-- name: count_rejected
-- Reasons quote what was wrong; without the value, those alike are counted together. A row may have several.
SELECT silver.reason_kind(reason) AS kind, count(*)
FROM silver.rejected_row AS rejected
JOIN ops.ingestion AS i ON i.id = rejected.ingestion_id AND i.state = 'succeeded'
CROSS JOIN unnest(rejected.reasons) AS reason
GROUP BY kind
ORDER BY count(*) DESC, kind
