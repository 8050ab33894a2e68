-- Which ingestions have a segment of gold, and which are to get one.

-- name: next_large
SELECT id, xmin::text, rows_loaded, lot
FROM ops.ingestion
WHERE state = 'succeeded' AND segment IS NULL AND lot > 0 AND rows_loaded > 0
ORDER BY id
LIMIT 1

-- name: next_small
-- Up to so many trips of small ingestions, oldest first, and at least one of them.
SELECT id, xmin, rows_loaded, lot
FROM (
    SELECT id, xmin::text, rows_loaded, lot, sum(rows_loaded) OVER (ORDER BY id) - rows_loaded AS trips_before
    FROM ops.ingestion
    WHERE state = 'succeeded' AND segment IS NULL AND lot = 0 AND rows_loaded > 0
) AS waiting
WHERE trips_before < %(trips)s

-- name: list_pieces
SELECT first_line, lines, rows_loaded FROM ops.chunk WHERE ingestion_id = %(id)s ORDER BY number

-- name: hold
-- Nobody removes or rebuilds them before this transaction has ended; xmin tells whether somebody did before it began.
SELECT id
FROM ops.ingestion
WHERE id = ANY(%(ids)s) AND (id, xmin::text) IN (SELECT * FROM unnest(%(ids)s::int[], %(versions)s::text[]))
  AND state = 'succeeded' AND segment IS NULL
FOR SHARE

-- name: join
UPDATE ops.ingestion SET segment = %(segment)s WHERE id = ANY(%(ids)s)

-- name: get_segment
SELECT segment FROM ops.ingestion WHERE id = %(id)s AND segment IS NOT NULL

-- name: list_unfinished_segments
-- Of a process that was killed: no ingestion is in them. Only who has the claim may ask.
SELECT id FROM gold.segment WHERE NOT EXISTS (SELECT FROM ops.ingestion WHERE segment = gold.segment.id)

-- name: interrupt
-- Whoever makes a segment reads silver for long, and would keep its tables from being dropped.
SELECT pg_cancel_backend(pid)
FROM pg_stat_activity
WHERE application_name = %(name)s AND datname = current_database() AND pid <> pg_backend_pid()
