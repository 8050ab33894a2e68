-- What a run reads and writes of its ingestion.

-- name: start
UPDATE ops.ingestion
SET state = 'running', phase = 'bronze', started_at = coalesce(started_at, clock_timestamp()), finished_at = NULL,
    message = NULL, error = NULL
WHERE id = %(id)s AND state IN ('queued', 'running')
RETURNING source_path, owns_source, format, encoding, region, datasource, override_region, override_datasource,
          max_rejected, lot, bytes_total, source_modified_ns, sha256, chunk_bytes, cancel_requested, refuse_overlap,
          -- Files that were packed and came before members were kept are read whole.
          (SELECT CASE WHEN bool_and(member.lines IS NOT NULL) THEN array_agg(member.number) END
           FROM ops.member AS member
           WHERE member.ingestion_id = %(id)s AND member.first_line IS NOT NULL) AS members

-- name: set_table
UPDATE ops.ingestion
SET header_id = %(header_id)s, lot = %(lot)s, chunk_bytes = %(chunk_bytes)s,
    delimiter = %(delimiter)s
WHERE id = %(id)s

-- name: tell
UPDATE ops.ingestion
SET phase = %(phase)s, bytes_done = %(bytes_done)s, rows_read = greatest(rows_read, %(rows_read)s),
    rows_loaded = %(rows_loaded)s, rows_rejected = %(rows_rejected)s, rows_per_second = %(rows_per_second)s,
    eta_seconds = %(eta_seconds)s
WHERE id = %(id)s AND state = 'running'
RETURNING cancel_requested

-- name: succeed
UPDATE ops.ingestion AS i
SET state = 'succeeded', phase = NULL, bytes_done = bytes_total, eta_seconds = 0, error = NULL, lot = %(lot)s,
    rows_read = done.rows_read, rows_loaded = done.rows_loaded, rows_rejected = done.rows_rejected,
    rows_per_second = done.rows_read / greatest(0.001, extract(epoch FROM clock_timestamp() - i.started_at)),
    message = %(message)s, finished_at = clock_timestamp()
FROM (
    SELECT coalesce(sum(rows_read), 0) AS rows_read, coalesce(sum(rows_loaded), 0) AS rows_loaded,
           coalesce(sum(rows_rejected), 0) AS rows_rejected
    FROM ops.chunk
    WHERE ingestion_id = %(id)s
) AS done
WHERE i.id = %(id)s AND i.state = 'running'

-- name: fail
UPDATE ops.ingestion
SET state = 'failed', error = %(error)s, message = NULL, eta_seconds = NULL, finished_at = clock_timestamp()
WHERE id = %(id)s AND state = 'running'

-- name: fail_uncounted
-- Its rows could be loaded, and none of them is to be seen. Rejected rows are kept only of chunks that are done.
UPDATE ops.ingestion
SET state = 'failed', error = %(error)s, message = NULL, rows_loaded = 0, eta_seconds = NULL,
    rows_rejected = (SELECT coalesce(sum(rows_rejected), 0) FROM ops.chunk WHERE ingestion_id = %(id)s),
    finished_at = clock_timestamp()
WHERE id = %(id)s AND state = 'running'

-- name: fail_whole
-- Its rows were read, and none of them is to be seen.
UPDATE ops.ingestion
SET state = 'failed', error = %(error)s, message = NULL, rows_read = %(rows_read)s, rows_loaded = 0,
    rows_rejected = %(rows_rejected)s, eta_seconds = NULL, finished_at = clock_timestamp()
WHERE id = %(id)s AND state = 'running'

-- name: lock_attempt
-- The last commit of an owner that was killed may still be on its way: what it leaves is to be seen before it is cleared.
SELECT pg_advisory_xact_lock(hashtext('tripsmith.attempt'), %(id)s)

-- name: clear_attempt
-- A small ingestion that failed keeps its rejected rows and nothing else; another try finds them again.
DELETE FROM silver.rejected_row WHERE ingestion_id = %(id)s

-- name: cancel
UPDATE ops.ingestion
SET state = 'cancelled', message = 'Cancelled; it can be tried again and goes on from there.', eta_seconds = NULL,
    finished_at = clock_timestamp()
WHERE id = %(id)s AND state = 'running'

-- name: list_waiting
-- Queued, or left by a process that died: the latter are those whose advisory lock can be had.
SELECT id, source_path FROM ops.ingestion WHERE state IN ('queued', 'running') ORDER BY id
