-- Which migrations this database has seen.

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('tripsmith.migrations', 0))

-- name: create_ledger
CREATE SCHEMA IF NOT EXISTS ops;
CREATE TABLE IF NOT EXISTS ops.migration (
    name       text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: list_applied
SELECT name FROM ops.migration

-- name: record_applied
INSERT INTO ops.migration (name) VALUES (%(name)s)
