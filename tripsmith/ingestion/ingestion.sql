-- What the outside sees of ingestions. The id is text there: JSON clients must not treat it as a number.

-- name: get_ingestion
SELECT id::text AS id, file_name, state, phase, bytes_done, bytes_total, rows_read, rows_loaded, rows_rejected,
       rows_per_second, eta_seconds, message, error, notes, created_at, started_at, finished_at
FROM ops.ingestion
WHERE id = %(id)s

-- name: list_ingestions
SELECT id::text AS id, file_name, state, phase, bytes_done, bytes_total, rows_read, rows_loaded, rows_rejected,
       rows_per_second, eta_seconds, message, error, notes, created_at, started_at, finished_at
FROM ops.ingestion AS i
WHERE %(before)s::int IS NULL OR i.id < %(before)s
ORDER BY i.id DESC
LIMIT %(limit)s

-- name: list_current_ingestions
SELECT id::text AS id, file_name, state, phase, bytes_done, bytes_total, rows_read, rows_loaded, rows_rejected,
       rows_per_second, eta_seconds, message, error, notes, created_at, started_at, finished_at
FROM ops.ingestion AS i
WHERE i.state IN ('queued', 'running')
   OR i.id IN (SELECT latest.id FROM ops.ingestion AS latest ORDER BY latest.id DESC LIMIT 50)
ORDER BY i.id

-- name: requeue_as_is
UPDATE ops.ingestion
SET state = 'queued', cancel_requested = false, error = NULL, message = NULL, finished_at = NULL
WHERE id = %(id)s AND state IN ('failed', 'cancelled')

-- name: request_cancel
UPDATE ops.ingestion SET cancel_requested = true WHERE id = %(id)s AND state IN ('queued', 'running')

-- name: cancel_now
UPDATE ops.ingestion
SET state = 'cancelled', message = 'Cancelled before it was finished.', finished_at = clock_timestamp(), eta_seconds = NULL
WHERE id = %(id)s AND state IN ('queued', 'running')

-- name: try_claim
SELECT pg_try_advisory_lock(hashtext(%(kind)s), %(number)s)

-- name: release
SELECT pg_advisory_unlock(hashtext(%(kind)s), %(number)s)

-- name: get_source
SELECT i.source_path, i.owns_source, i.header_id, header.table_name, i.lot
FROM ops.ingestion AS i
LEFT JOIN ops.header ON header.id = i.header_id
WHERE i.id = %(id)s
FOR UPDATE OF i

-- name: lock_failed
-- Until the end of the transaction nobody tries it again.
SELECT FROM ops.ingestion WHERE id = %(id)s AND state = 'failed' FOR UPDATE

-- name: delete_rejected_rows
DELETE FROM silver.rejected_row WHERE ingestion_id = %(id)s

-- name: delete_malformed_lines
DELETE FROM bronze.malformed_line WHERE ingestion_id = %(id)s

-- name: delete_marks
DELETE FROM silver.trip_mark WHERE ingestion_id = %(id)s

-- name: delete_members
-- What nobody has is new again.
DELETE FROM ops.member WHERE ingestion_id = %(id)s

-- name: delete_chunks
DELETE FROM ops.chunk WHERE ingestion_id = %(id)s

-- name: mark_removed
UPDATE ops.ingestion
SET state = 'removed', phase = NULL, message = %(message)s, eta_seconds = NULL,
    finished_at = coalesce(finished_at, clock_timestamp())
WHERE id = %(id)s

-- name: list_rejected
-- Page by page: a file may have millions of them. In an archive, the line is that within the member.
SELECT rejected.line, coalesce(member.name, ''), rejected.line - coalesce(member.first_line, 1) + 1, rejected.record,
       rejected.reasons
FROM silver.rejected_row AS rejected
LEFT JOIN LATERAL (
    SELECT name, first_line
    FROM ops.member
    WHERE ingestion_id = %(id)s AND first_line <= rejected.line
    ORDER BY first_line DESC
    LIMIT 1
) AS member ON true
WHERE rejected.ingestion_id = %(id)s AND rejected.line > %(after)s
ORDER BY rejected.line
LIMIT 1000

-- name: count_workers
-- A worker has one connection of this name for as long as it lives, wherever it runs.
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %(name)s

-- name: wait_of_oldest
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
FROM ops.ingestion
WHERE state = 'queued'

-- name: count_ingestions
SELECT state, count(*), sum(rows_loaded)::bigint, sum(rows_rejected)::bigint, sum(bytes_total)::bigint
FROM ops.ingestion
GROUP BY state
