-- Regions and data sources of a chunk that no file has had before.

-- name: new_regions
-- Names that no file has had before, to be given numbers, in the order of the file: the first spelling is the one shown.
SELECT {region}
FROM {bronze}
WHERE {rows}
  AND NOT EXISTS (SELECT FROM silver.region_spelling AS known WHERE known.spelling = {region})
GROUP BY {region}
ORDER BY min("_line")

-- name: new_datasources
SELECT {datasource}
FROM {bronze}
WHERE {rows}
  AND NOT EXISTS (SELECT FROM silver.datasource_spelling AS known WHERE known.spelling = {datasource})
GROUP BY {datasource}
ORDER BY min("_line")
