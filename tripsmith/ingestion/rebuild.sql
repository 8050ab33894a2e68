-- Silver and gold made anew from what lies upstream of them.

-- name: list_rebuildable
SELECT i.id, i.lot, i.format, coalesce(i.region, i.override_region), coalesce(i.datasource, i.override_datasource),
       coalesce(i.delimiter, ','),
       header.id, header.table_name, header.column_names, header.columns
FROM ops.ingestion AS i
JOIN ops.header ON header.id = i.header_id
WHERE i.state = 'succeeded'
ORDER BY i.id

-- name: lock_ingestion
-- Whether it is still there; until the end of the transaction nobody removes it.
SELECT FROM ops.ingestion WHERE id = %(id)s AND state = 'succeeded' FOR UPDATE

-- name: count_bronze
SELECT count(*) FROM {bronze} WHERE {rows}

-- name: remember_rejected_rows
-- Their bytes are those of the file, which may be gone; bronze has the columns only.
CREATE TEMPORARY TABLE told ON COMMIT DROP AS
SELECT line, record FROM silver.rejected_row WHERE ingestion_id = %(id)s

-- name: restore_records
UPDATE silver.rejected_row AS rejected
SET record = told.record
FROM pg_temp.told
WHERE rejected.ingestion_id = %(id)s AND rejected.line = told.line AND rejected.record <> told.record

-- name: forget_rejected_rows
DELETE FROM silver.rejected_row WHERE ingestion_id = %(id)s

-- name: forget_marks
DELETE FROM silver.trip_mark WHERE ingestion_id = %(id)s

-- name: recount_chunk
UPDATE ops.chunk
SET rows_loaded = %(rows_loaded)s, rows_rejected = rows_read - %(rows_loaded)s
WHERE ingestion_id = %(id)s AND first_line = %(first_line)s

-- name: recount_ingestion
UPDATE ops.ingestion
SET rows_loaded = %(rows_loaded)s, rows_rejected = %(rows_rejected)s, message = %(message)s
WHERE id = %(id)s
