-- Why rows of an ingestion were rejected.

-- name: most_frequent_reason
-- Of the first rows only: a file may have millions of them. Reasons that are the same to the letter are counted first, as
-- finding the kind of each costs ten times as much.
WITH reason AS (
    SELECT reason.text, count(*) AS rows, min(rejected.line) AS line
    FROM (
        SELECT line, reasons
        FROM silver.rejected_row
        WHERE ingestion_id = %(id)s
        ORDER BY line
        LIMIT %(examined)s
    ) AS rejected
    CROSS JOIN unnest(rejected.reasons) AS reason (text)
    GROUP BY reason.text
)
SELECT (array_agg(text ORDER BY line))[1], sum(rows)::bigint, count(*) = 1
FROM reason
GROUP BY silver.reason_kind(text)
ORDER BY sum(rows) DESC, silver.reason_kind(text)
LIMIT 1
