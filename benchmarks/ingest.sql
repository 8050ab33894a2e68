-- What the ingestion benchmark asks of the server.

-- name: make_text_table
CREATE TABLE public.copied (region text, origin_coord text, destination_coord text, datetime text, datasource text)

-- name: insert_row
INSERT INTO public.copied VALUES (%s, %s, %s, %s, %s)

-- name: text_table_size
SELECT pg_total_relation_size('public.copied')

-- name: drop_text_table
DROP TABLE public.copied

-- name: layer_sizes
SELECT namespace.nspname, sum(pg_total_relation_size(class.oid))::bigint
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname IN ('bronze', 'silver', 'gold') AND class.relkind = 'r'
GROUP BY namespace.nspname
ORDER BY namespace.nspname
