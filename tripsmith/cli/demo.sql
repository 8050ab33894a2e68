-- What lies in each layer.

-- name: list_tables
-- Without what gold keeps by place: that is an index, of trips that are counted already.
SELECT namespace.nspname, class.relname
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE (class.relkind = 'p' AND namespace.nspname IN ('bronze', 'silver', 'gold')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = class.oid AND a.attname = 'segment'))
   OR (class.relname = 'rejected_row' AND namespace.nspname = 'silver')
ORDER BY namespace.nspname = 'gold', namespace.nspname, class.relname DESC

-- name: count_table
SELECT count(*) FROM {table}
