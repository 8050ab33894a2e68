-- Which trips a question is about: names, and the conditions that put a trip's end in a box.

-- name: find_name
-- A region or data source is known once a trip that can be seen has it.
SELECT named.id, named.name
FROM {names} AS named
WHERE named.key = %(key)s AND EXISTS (SELECT FROM gold.region_week AS week WHERE week.{id} = named.id)

-- name: list_names
SELECT named.name
FROM {names} AS named
WHERE EXISTS (SELECT FROM gold.region_week AS week WHERE week.{id} = named.id)
ORDER BY named.name

-- name: inside_box
({longitude} BETWEEN {west} AND {east} AND {latitude} BETWEEN {south} AND {north})

-- name: inside_box_over_antimeridian
(({longitude} >= {west} OR {longitude} <= {east}) AND {latitude} BETWEEN {south} AND {north})
