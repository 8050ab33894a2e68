-- Trip groups, most trips first. {hour} is the hour, or 0 where groups are not told apart by it.

-- name: count_from_gold
-- Coarser cells are found by masking the bits of their tiles. Both and the hour are packed into one key, as in gold.sql, and
-- trips added up as int: keys by three, and sums of bigint, which are numeric, took twice as long.
SELECT ((packed & x'00001FFF00000000'::bigint) << 13) | ((packed & x'000000000007FFC0'::bigint) << 7) AS origin_tile,
       (packed & x'03FFE00000000000'::bigint) | ((packed & x'00000000FFF80000'::bigint) >> 6) AS destination_tile,
       (packed >> 58)::int AS hour, trips
FROM (
    SELECT ((origin & x'03FFE00000000000'::bigint) >> 13) | ((origin & x'0000000003FFE000'::bigint) >> 7)
           | (destination & x'03FFE00000000000'::bigint) | ((destination & x'0000000003FFE000'::bigint) << 6)
           | ({hour}::bigint << 58) AS packed, sum(trips::int) AS trips
    FROM (
        SELECT origin_tile & gold.tile_mask(%(zoom)s) AS origin,
               destination_tile & gold.tile_mask(%(zoom)s) AS destination, hour, trips
        FROM gold.trip_group
        WHERE (%(region_id)s::int IS NULL OR region_id = %(region_id)s) AND {hours} AND {cells}
    ) AS coarse
    GROUP BY packed
) AS groups

-- name: in_hours
hour = ANY({hours})

-- name: in_cells
{tile} = ANY({cells})

-- name: not_in_cells
NOT ({tile} & gold.tile_mask({zoom}) = ANY({cells}))

-- name: list_gold_cells
SELECT DISTINCT {tile} FROM gold.trip_group WHERE %(region_id)s::int IS NULL OR region_id = %(region_id)s

-- name: count_from_silver
SELECT trip.origin_tile & gold.tile_mask(%(zoom)s) AS origin_tile,
       trip.destination_tile & gold.tile_mask(%(zoom)s) AS destination_tile,
       {hour} AS hour, count(*) AS trips
FROM silver.trip AS trip
WHERE {condition}
GROUP BY 1, 2, 3

-- name: hour_of_trip
date_part('hour', trip.started_at)::int

-- name: given
-- Groups that were counted by the caller.
SELECT * FROM unnest(%(origin_tiles)s::bigint[], %(destination_tiles)s::bigint[], %(hours_counted)s::int[], %(counts)s::bigint[])
    AS given (origin_tile, destination_tile, hour, trips)

-- name: tiles
-- In the order of the points.
SELECT silver.tile(longitude, latitude)
FROM unnest(%(longitudes)s::float8[], %(latitudes)s::float8[]) WITH ORDINALITY AS point (longitude, latitude, number)
ORDER BY number

-- name: merge
SELECT origin_tile, destination_tile, hour, sum(trips)::bigint AS trips
FROM ({parts}) AS part
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
