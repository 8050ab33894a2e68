-- What the notes of an ingestion are made of, and where they are kept.

-- name: list_facts
SELECT facts FROM ops.chunk WHERE ingestion_id = %(id)s AND facts <> '{}'

-- name: list_marks
SELECT mark, sum(trips)::bigint FROM silver.trip_mark WHERE ingestion_id = %(id)s GROUP BY mark

-- name: replace_notes
-- An update that changes nothing would still tell every listener.
UPDATE ops.ingestion
SET notes = jsonb_path_query_array(notes, '$[*] ? (!(@.code == $codes[*]))', jsonb_build_object('codes', %(codes)s::text[]))
            || %(notes)s
WHERE id = %(id)s AND (notes <> '[]' OR %(notes)s <> '[]')
