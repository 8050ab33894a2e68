-- The questions of benchmarks/answers.py, put to DuckDB. {where} is the condition on an end of a trip.

-- name: load
-- The columns that the questions need, as a columnar database would keep them.
CREATE TABLE trip AS
SELECT region, datetime::timestamp AS started_at,
       split_part(substr(origin_coord, 8), ' ', 1)::double AS origin_longitude,
       rtrim(split_part(substr(origin_coord, 8), ' ', 2), ')')::double AS origin_latitude,
       split_part(substr(destination_coord, 8), ' ', 1)::double AS destination_longitude,
       rtrim(split_part(substr(destination_coord, 8), ' ', 2), ')')::double AS destination_latitude
FROM read_csv('{source}', header = true, all_varchar = true)

-- name: weeks
SELECT date_trunc('week', started_at)::date AS week, count(*) FROM trip WHERE {where} GROUP BY 1 ORDER BY 1

-- name: groups
SELECT hour(started_at) AS hour,
       floor((origin_longitude + 180) * {scale}) AS origin_x,
       floor({side} / 2 - {side} / 2 / pi() * atanh(sin(radians(origin_latitude)))) AS origin_y,
       floor((destination_longitude + 180) * {scale}) AS destination_x,
       floor({side} / 2 - {side} / 2 / pi() * atanh(sin(radians(destination_latitude)))) AS destination_y,
       count(*) AS trips
FROM trip
WHERE {where}
GROUP BY ALL
ORDER BY trips DESC
LIMIT 20
