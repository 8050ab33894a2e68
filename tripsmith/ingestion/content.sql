-- Known content: which ingestion has what.

-- name: lock_content
-- The same content sent twice at once must meet itself. Always in the same order, or two would wait for each other crosswise.
SELECT pg_advisory_xact_lock(hashtextextended('tripsmith.content', number))
FROM (SELECT DISTINCT get_byte(digest, 0) AS number FROM unnest(%(digests)s::bytea[]) AS digest ORDER BY 1) AS numbers

-- name: find_holders
SELECT member.sha256, i.id, i.state, i.rows_loaded, i.file_name, i.source_path, i.owns_source,
       ARRAY[i.format, i.encoding, i.region, i.datasource, i.override_region, i.override_datasource]
FROM ops.member AS member
JOIN ops.ingestion AS i ON i.id = member.ingestion_id
WHERE member.holds AND member.sha256 = ANY(%(digests)s::bytea[])

-- name: recall_members
-- What is known of a file with the same bytes, so that it need not be unpacked again.
SELECT number, name, sha256, lines
FROM ops.member
WHERE ingestion_id = (
    SELECT max(id) FROM ops.ingestion WHERE sha256 = %(sha256)s AND encoding = %(encoding)s AND state <> 'removed'
)
ORDER BY number

-- name: list_loaded
SELECT sha256, holds, name
FROM ops.member
WHERE ingestion_id = %(id)s AND first_line IS NOT NULL
ORDER BY number

-- name: let_go
-- An ingestion that failed or was cancelled does not keep its content from another.
UPDATE ops.member SET holds = false WHERE holds AND sha256 = ANY(%(digests)s::bytea[])

-- name: insert_ingestion
WITH added AS (
    INSERT INTO ops.ingestion
        (file_name, source_path, owns_source, sha256, format, encoding, region, datasource, override_region,
         override_datasource, max_rejected, bytes_total, source_modified_ns, refuse_overlap, notes)
    VALUES
        (%(file_name)s, %(source_path)s, %(owns_source)s, %(sha256)s, %(format)s, %(encoding)s, %(region)s,
         %(datasource)s, %(override_region)s, %(override_datasource)s, %(max_rejected)s, %(bytes_total)s,
         %(source_modified_ns)s, %(refuse_overlap)s, %(notes)s)
    RETURNING id
)
INSERT INTO ops.member (ingestion_id, number, name, sha256, first_line, lines, holds)
SELECT added.id, member.number, member.name, member.sha256, member.first_line, member.lines,
       member.first_line IS NOT NULL
FROM added, unnest(%(numbers)s::int[], %(names)s::text[], %(all_digests)s::bytea[], %(first_lines)s::bigint[],
                   %(lines)s::bigint[]) AS member (number, name, sha256, first_line, lines)
RETURNING ingestion_id

-- name: rescale_chunks
-- The chunks of a file that comes again in another packing have other shares of it.
UPDATE ops.chunk AS chunk
SET source_bytes = chunk.source_bytes::numeric * %(bytes_total)s / greatest(i.bytes_total, 1)
FROM ops.ingestion AS i
WHERE i.id = %(id)s AND chunk.ingestion_id = i.id AND i.bytes_total <> %(bytes_total)s

-- name: forget_members
DELETE FROM ops.member WHERE ingestion_id = %(id)s

-- name: insert_members
INSERT INTO ops.member (ingestion_id, number, name, sha256, first_line, lines, holds)
SELECT %(id)s, member.number, member.name, member.sha256, member.first_line, member.lines, member.first_line IS NOT NULL
FROM unnest(%(numbers)s::int[], %(names)s::text[], %(all_digests)s::bytea[], %(first_lines)s::bigint[],
            %(lines)s::bigint[]) AS member (number, name, sha256, first_line, lines)

-- name: requeue
UPDATE ops.ingestion
SET state = 'queued', cancel_requested = false, error = NULL, message = NULL, finished_at = NULL,
    source_path = %(source_path)s, owns_source = %(owns_source)s, source_modified_ns = %(source_modified_ns)s,
    sha256 = %(sha256)s, bytes_total = %(bytes_total)s, refuse_overlap = %(refuse_overlap)s,
    max_rejected = %(max_rejected)s
WHERE id = %(id)s
