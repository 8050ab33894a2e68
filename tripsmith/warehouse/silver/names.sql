-- Regions and data sources of a chunk: which numbers they have, and which no file has had before.

-- name: known_regions
SELECT spelling, region_id FROM silver.region_spelling LIMIT 21

-- name: known_datasources
SELECT spelling, datasource_id FROM silver.datasource_spelling LIMIT 21

-- name: join_regions
JOIN silver.region_spelling AS region ON region.spelling = shaped.region

-- name: join_datasources
JOIN silver.datasource_spelling AS datasource ON datasource.spelling = shaped.datasource

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
