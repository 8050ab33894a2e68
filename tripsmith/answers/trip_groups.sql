-- Trip groups, most trips first.

-- name: count_from_gold
-- Coarser cells are found by masking the bits of their tiles.
SELECT origin_tile & gold.tile_mask(%(zoom)s) AS origin_tile, destination_tile & gold.tile_mask(%(zoom)s) AS destination_tile,
       hour, sum(trips)::bigint AS trips
FROM gold.trip_group
WHERE {region} AND (%(hour)s::int IS NULL OR hour = %(hour)s)
GROUP BY 1, 2, 3

-- name: count_from_silver
-- An area's own trips, or cells finer than gold's.
SELECT trip.origin_tile & gold.tile_mask(%(zoom)s) AS origin_tile,
       trip.destination_tile & gold.tile_mask(%(zoom)s) AS destination_tile,
       extract(hour FROM trip.started_at)::int AS hour, count(*) AS trips
FROM silver.trip AS trip
WHERE {condition}
  AND (%(hour)s::int IS NULL OR extract(hour FROM trip.started_at) = %(hour)s)
GROUP BY 1, 2, 3

-- name: page
-- Keyset pages: a page starts where the one before it ended, whatever came in between.
WITH counted AS (
{counted}
)
SELECT origin_tile, destination_tile, hour, trips
FROM counted
WHERE %(after_trips)s::bigint IS NULL
   OR trips < %(after_trips)s
   OR (trips = %(after_trips)s
       AND (origin_tile, destination_tile, hour)
         > (%(after_origin)s::bigint, %(after_destination)s::bigint, %(after_hour)s::int))
ORDER BY trips DESC, origin_tile, destination_tile, hour
LIMIT %(limit)s
