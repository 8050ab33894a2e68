-- What lies in each layer.

-- name: list_tables
SELECT namespace.nspname, class.relname
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE (class.relkind = 'p' AND namespace.nspname IN ('bronze', 'silver', 'gold'))
   OR (class.relname = 'rejected_row' AND namespace.nspname = 'silver')
ORDER BY namespace.nspname = 'gold', namespace.nspname, class.relname DESC

-- name: count_table
SELECT count(*) FROM {table}
