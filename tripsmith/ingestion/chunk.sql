-- The marks of chunks.

-- name: mark_chunk
-- Where another transaction has the mark and has not ended, this waits for it: an orphan never commits beside its retry.
INSERT INTO ops.chunk (ingestion_id, number, byte_offset, byte_length, source_bytes, first_line, lines,
                       rows_read, rows_loaded, rows_rejected)
VALUES (%(ingestion_id)s, %(number)s, %(byte_offset)s, %(byte_length)s, %(source_bytes)s, %(first_line)s, %(lines)s,
        0, 0, 0)
ON CONFLICT DO NOTHING

-- name: complete_chunk
UPDATE ops.chunk
SET rows_read = %(rows_read)s, rows_loaded = %(rows_loaded)s, rows_rejected = %(rows_rejected)s, facts = %(facts)s
WHERE ingestion_id = %(ingestion_id)s AND number = %(number)s

-- name: get_chunk
SELECT byte_offset, byte_length, source_bytes, rows_read, rows_loaded, rows_rejected
FROM ops.chunk
WHERE ingestion_id = %(ingestion_id)s AND number = %(number)s

-- name: list_chunks
SELECT number, byte_offset, byte_length FROM ops.chunk WHERE ingestion_id = %(ingestion_id)s

-- name: list_lines
SELECT first_line, lines FROM ops.chunk WHERE ingestion_id = %(ingestion_id)s ORDER BY number

-- name: merge_chunks
-- The chunks of an ingestion that lies in the shared lot are one: there, no table tells them apart.
WITH merged AS (DELETE FROM ops.chunk WHERE ingestion_id = %(ingestion_id)s AND number > 0 RETURNING *)
UPDATE ops.chunk AS chunk
SET byte_length = chunk.byte_length + more.byte_length, source_bytes = chunk.source_bytes + more.source_bytes,
    lines = chunk.lines + more.lines, rows_read = chunk.rows_read + more.rows_read,
    rows_loaded = chunk.rows_loaded + more.rows_loaded, rows_rejected = chunk.rows_rejected + more.rows_rejected
FROM (
    SELECT sum(byte_length) AS byte_length, sum(source_bytes) AS source_bytes, sum(lines) AS lines,
           sum(rows_read) AS rows_read, sum(rows_loaded) AS rows_loaded, sum(rows_rejected) AS rows_rejected
    FROM merged
) AS more
WHERE chunk.ingestion_id = %(ingestion_id)s AND chunk.number = 0 AND more.lines IS NOT NULL

-- name: sum_chunks
SELECT coalesce(sum(source_bytes), 0)::bigint, coalesce(sum(rows_read), 0)::bigint,
       coalesce(sum(rows_loaded), 0)::bigint, coalesce(sum(rows_rejected), 0)::bigint
FROM ops.chunk
WHERE ingestion_id = %(ingestion_id)s

-- name: list_rejected_lines
SELECT line
FROM silver.rejected_row
WHERE ingestion_id = %(ingestion_id)s AND line BETWEEN %(first)s AND %(last)s

-- name: keep_verbatim
UPDATE silver.rejected_row
SET record = %(record)s
WHERE ingestion_id = %(ingestion_id)s AND line = %(line)s
