-- Bronze: rows exactly as in the file. {table} and {partition} are identifiers, {columns} a list of them.

-- name: create_table
-- A header's table. Every column is text; the last three say where a row came from.
CREATE TABLE {table} (
    {column_definitions},
    "_line"         bigint NOT NULL,      -- physical line where the record starts
    "_lot"          int NOT NULL,
    "_ingestion_id" int NOT NULL
) PARTITION BY LIST ("_lot")

-- name: create_shared_partition
CREATE TABLE {partition} PARTITION OF {table} FOR VALUES IN (0)

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

-- name: set_defaults
-- COPY names only the file's columns: the rest comes from defaults, the line from a counter of this connection.
ALTER TABLE {partition}
    ALTER "_line" SET DEFAULT nextval(current_setting('tripsmith.line_counter')::oid::regclass),
    ALTER "_lot" SET DEFAULT {lot},
    ALTER "_ingestion_id" SET DEFAULT current_setting('tripsmith.ingestion_id')::int

-- name: create_line_counter
CREATE TEMPORARY SEQUENCE line_counter CACHE 1000

-- name: use_line_counter
SELECT set_config('tripsmith.line_counter', 'pg_temp.line_counter'::regclass::oid::text, false),
       set_config('tripsmith.ingestion_id', %(ingestion_id)s::text, false)

-- name: start_line_counter
SELECT setval('pg_temp.line_counter', %(line)s, false)

-- name: pages
SELECT pg_relation_size(%(partition)s::regclass) / current_setting('block_size')::bigint

-- name: copy_lines
-- The clean way: PostgreSQL numbers the lines, one record each. No value is NULL: an empty field is an empty text.
COPY {partition} ({columns}) FROM STDIN
    (FORMAT csv, DELIMITER {delimiter}, NULL {null}, ENCODING 'UTF8')

-- name: copy_numbered_lines
-- The careful way: each record brings its line number as a first field.
COPY {partition} ("_line", {columns}) FROM STDIN
    (FORMAT csv, DELIMITER {delimiter}, NULL {null}, ENCODING 'UTF8')
