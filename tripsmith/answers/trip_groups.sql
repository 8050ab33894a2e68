-- Trip groups, most trips first.

-- name: count_from_gold
-- Coarser cells are found by arithmetic.
SELECT gold.quadbin_parent(origin_cell, %(zoom)s) AS origin_cell,
       gold.quadbin_parent(destination_cell, %(zoom)s) AS destination_cell, hour, sum(trips)::bigint AS trips
FROM gold.trip_group
WHERE {region} AND (%(hour)s::int IS NULL OR hour = %(hour)s)
GROUP BY 1, 2, 3

-- name: count_from_silver
-- An area's own trips, or cells finer than gold's. Tiles are cut to the zoom first, a quadbin is made once a group.
SELECT gold.quadbin(tiles.origin, %(zoom)s) AS origin_cell, gold.quadbin(tiles.destination, %(zoom)s) AS destination_cell,
       tiles.hour, tiles.trips
FROM (
    SELECT trip.origin_tile & mask.bits AS origin, trip.destination_tile & mask.bits AS destination,
           extract(hour FROM trip.started_at)::int AS hour, count(*) AS trips
    FROM silver.trip AS trip
    CROSS JOIN (SELECT ((1::bigint << 26) - (1::bigint << (26 - %(zoom)s))) * ((1::bigint << 32) + 1) AS bits) AS mask
    WHERE {condition}
      AND (%(hour)s::int IS NULL OR extract(hour FROM trip.started_at) = %(hour)s)
    GROUP BY 1, 2, 3
) AS tiles

-- name: page
-- Keyset pages: a page starts where the one before it ended, whatever came in between.
WITH counted AS (
{counted}
)
SELECT origin_cell, destination_cell, hour, trips
FROM counted
WHERE %(after_trips)s::bigint IS NULL
   OR trips < %(after_trips)s
   OR (trips = %(after_trips)s
       AND (origin_cell, destination_cell, hour)
         > (%(after_origin)s::bigint, %(after_destination)s::bigint, %(after_hour)s::int))
ORDER BY trips DESC, origin_cell, destination_cell, hour
LIMIT %(limit)s
