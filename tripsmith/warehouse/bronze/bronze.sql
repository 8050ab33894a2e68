-- Bronze: rows exactly as in the file. {table} and {partition} are identifiers, {columns} a list of them.

-- name: create_table
-- A header's table. Every column is text; the last three say where a row came from.
CREATE TABLE {table} (
    {column_definitions},
    "_line"         bigint NOT NULL,      -- physical line where the record starts
    "_lot"          int NOT NULL,
    "_ingestion_id" int NOT NULL
) PARTITION BY RANGE ("_lot", "_line")

-- name: create_shared_partition
CREATE TABLE {partition} PARTITION OF {table} FOR VALUES FROM (0, MINVALUE) TO (0, MAXVALUE)

-- name: index_shared_partition
-- A small file is found in the shared partition, to be rebuilt or removed, by its ingestion.
CREATE INDEX ON {partition} ("_ingestion_id", "_line")

-- name: find_header
SELECT id, table_name, column_names FROM ops.header WHERE columns = %(columns)s

-- name: lock_headers
-- Two files with the same new header must not both make its table.
SELECT pg_advisory_xact_lock(hashtextextended('tripsmith.headers', 0))

-- name: insert_header
INSERT INTO ops.header (columns, column_names, table_name)
VALUES (%(columns)s, %(column_names)s, %(format)s)
RETURNING id

-- name: name_header
UPDATE ops.header SET table_name = %(table_name)s WHERE id = %(id)s

-- name: set_shared_defaults
-- COPY names only the file's columns: the rest comes from defaults, the line from a counter of this connection.
ALTER TABLE {partition}
    ALTER "_line" SET DEFAULT nextval(current_setting('tripsmith.line_counter')::oid::regclass),
    ALTER "_lot" SET DEFAULT {lot},
    ALTER "_ingestion_id" SET DEFAULT current_setting('tripsmith.ingestion_id')::int

-- name: set_piece_defaults
-- The same for one chunk, where they are constants: looking settings up cost a tenth of a second in a million rows.
-- A large ingestion's lot has the ingestion's number.
ALTER TABLE {partition}
    ALTER "_line" SET DEFAULT nextval('pg_temp.line_counter'::regclass),
    ALTER "_lot" SET DEFAULT {lot},
    ALTER "_ingestion_id" SET DEFAULT {lot}

-- name: create_line_counter
CREATE TEMPORARY SEQUENCE line_counter CACHE 1000

-- name: use_line_counter
-- A table that grows in this very transaction has no statistics; without them the planner would loop over the names for
-- every row. The lanes are the parallel workers: each needs no more of its own. And the disk is to write beside them,
-- not all at once while a commit waits.
SELECT set_config('enable_nestloop', 'off', false),
       set_config('max_parallel_workers_per_gather', '0', false),
       set_config('backend_flush_after', '1MB', false),
       set_config('tripsmith.line_counter', 'pg_temp.line_counter'::regclass::oid::text, false),
       set_config('tripsmith.ingestion_id', %(ingestion_id)s::text, false)

-- name: start_line_counter
SELECT setval('pg_temp.line_counter', %(line)s, false)

-- name: create_piece
-- The table of one chunk of a large ingestion, which nobody sees before it is attached. As it is made in the transaction
-- that fills it, its rows need no write-ahead log, and are frozen from the start.
-- The check tells PostgreSQL, when the piece is attached, that every row belongs where it is to be; made later, it would
-- be one more reading of the rows.
CREATE TABLE {partition} (
    LIKE {table},
    CONSTRAINT one_range CHECK ("_lot" = {lot} AND "_line" >= {first} AND "_line" < {stop})
) WITH (autovacuum_enabled = false)

-- name: drop_piece_defaults
-- They have done their work, and the counter goes with its connection.
ALTER TABLE {partition} ALTER "_line" DROP DEFAULT, ALTER "_lot" DROP DEFAULT, ALTER "_ingestion_id" DROP DEFAULT

-- name: attach_piece
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({lot}, {first}) TO ({lot}, {stop})

-- name: delete_shared
DELETE FROM {partition} WHERE "_ingestion_id" = {ingestion_id}

-- name: copy_lines
-- The clean way: PostgreSQL numbers the lines, one record each. No value is NULL, an empty field is an empty text; any
-- mark for NULL might be a value of some file. COPY takes a quote anywhere for one that opens or closes; where quotes are
-- characters too, {quote} is another byte.
COPY {partition} ({columns}) FROM STDIN
    (FORMAT csv, FREEZE {freeze}, DELIMITER {delimiter}, QUOTE {quote}, FORCE_NOT_NULL ({columns}), ENCODING 'UTF8')

-- name: copy_text_lines
-- The same where no quote opens a field and there is no backslash, in the format that PostgreSQL reads fastest. Its mark
-- for NULL has a backslash.
COPY {partition} ({columns}) FROM STDIN (FORMAT text, FREEZE {freeze}, DELIMITER {delimiter}, ENCODING 'UTF8')

-- name: copy_numbered_lines
-- The careful way: each record brings its line number as a first field.
COPY {partition} ("_line", {columns}) FROM STDIN
    (FORMAT csv, FREEZE {freeze}, DELIMITER {delimiter}, FORCE_NOT_NULL ({columns}), ENCODING 'UTF8')

-- name: copy_malformed_lines
COPY bronze.malformed_line (ingestion_id, line, record, reasons) FROM STDIN

-- name: reject_malformed_lines
INSERT INTO silver.rejected_row (ingestion_id, line, record, reasons)
SELECT ingestion_id, line, record, reasons
FROM bronze.malformed_line
WHERE ingestion_id = %(ingestion_id)s AND (%(first)s::bigint IS NULL OR line BETWEEN %(first)s AND %(last)s)
