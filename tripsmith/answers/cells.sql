-- Trips by cell, for a map.

-- name: cells_by_day
-- What is summed are the columns of the days meant.
SELECT cell & gold.tile_mask(%(zoom)s), sum({days})::bigint
FROM gold.{end}_week
WHERE segment = ANY(%(segments)s) AND zoom = %(level)s AND parent = ANY(%(parents)s) AND cell = ANY(%(cells)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)
GROUP BY 1

-- name: day
-- Nothing where the day of that week is not meant.
CASE WHEN (%(start)s::date IS NULL OR week + {number} >= %(start)s::date)
      AND (%(end)s::date IS NULL OR week + {number} <= %(end)s::date) THEN {day} ELSE 0 END

-- name: cells_of_trips
SELECT cell, trips, CASE WHEN %(with_hours)s THEN hours END
FROM gold.{end}_trip
WHERE segment = ANY(%(segments)s) AND parent = ANY(%(parents)s) AND cell = ANY(%(cells)s)
  AND (%(region_ids)s::int[] IS NULL OR region_id = ANY(%(region_ids)s))
  AND (%(datasource_id)s::int IS NULL OR datasource_id = %(datasource_id)s)

-- name: cells_of_silver
SELECT {tile} & gold.tile_mask(%(zoom)s), count(*)
FROM silver.trip AS trip
WHERE {condition}
GROUP BY 1

-- name: in_tiles
(({tile} >> 32) BETWEEN {west} AND {east} AND ({tile} & 4294967295) BETWEEN {north} AND {south})
