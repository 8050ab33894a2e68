-- What would mislead about any answer: marks of the trips that it may count, and ingestions that it does not count.

-- name: sum_marks
SELECT mark.mark, sum(mark.trips)::bigint
FROM silver.trip_mark AS mark
JOIN ops.ingestion AS i ON i.id = mark.ingestion_id AND i.state = 'succeeded'
WHERE (%(region_id)s::int IS NULL OR mark.region_id = %(region_id)s)
  AND (%(datasource_id)s::int IS NULL OR mark.datasource_id = %(datasource_id)s)
GROUP BY mark.mark
ORDER BY mark.mark

-- name: list_uncounted
-- Ingestions under way, and those that failed with no later one of the same file name having succeeded, nor another having
-- all of their content by now. How many there are, and the names of the latest few. Two queries, as one with OR would look for later ones row by row.
SELECT false AS has_failed, count(*), (array_agg(file_name ORDER BY id DESC))[:3]
FROM ops.ingestion
WHERE state IN ('queued', 'running')
HAVING count(*) > 0
UNION ALL
SELECT true, count(*), (array_agg(i.file_name ORDER BY i.id DESC))[:3]
FROM ops.ingestion AS i
WHERE i.state = 'failed'
  AND NOT EXISTS (
      SELECT FROM ops.ingestion AS later
      WHERE later.file_name = i.file_name AND later.id > i.id AND later.state = 'succeeded')
  AND EXISTS (SELECT FROM ops.member WHERE member.ingestion_id = i.id AND member.holds)
HAVING count(*) > 0
