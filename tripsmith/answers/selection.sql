-- Which trips a question is about: names, and the conditions that put a trip's end in a box.

-- name: find_region
-- A region is known once a trip that can be seen has it.
SELECT region.id, region.name
FROM silver.region AS region
WHERE region.key = %(key)s
  AND EXISTS (SELECT FROM gold.region_week AS week WHERE week.region_id = region.id)

-- name: list_region_names
SELECT region.name
FROM silver.region AS region
WHERE EXISTS (SELECT FROM gold.region_week AS week WHERE week.region_id = region.id)
ORDER BY region.name

-- name: find_datasource
SELECT datasource.id, datasource.name
FROM silver.datasource AS datasource
WHERE datasource.key = %(key)s
  AND EXISTS (SELECT FROM gold.region_week AS week WHERE week.datasource_id = datasource.id)

-- name: list_datasource_names
SELECT datasource.name
FROM silver.datasource AS datasource
WHERE EXISTS (SELECT FROM gold.region_week AS week WHERE week.datasource_id = datasource.id)
ORDER BY datasource.name

-- name: inside_box
({longitude} BETWEEN {west} AND {east} AND {latitude} BETWEEN {south} AND {north})

-- name: inside_box_over_antimeridian
(({longitude} >= {west} OR {longitude} <= {east}) AND {latitude} BETWEEN {south} AND {north})
