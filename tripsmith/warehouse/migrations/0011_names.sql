-- Names are compared in NFC and without invisible characters from now on, and `NULL` and the like are none. Spellings are
-- looked up again under that rule, when files bring them.
DELETE FROM silver.region_spelling;
DELETE FROM silver.datasource_spelling;

-- Keys of before, as the new rule has them; PostgreSQL knows the general category of no character, so the usual invisible
-- ones are listed. Where two regions turn out to be one, one of them has the key: `tripsmith rebuild silver` gives it the
-- trips of the other. Trips of a region called NULL stay as they are until then, too.
CREATE FUNCTION pg_temp.visible(name text) RETURNS text LANGUAGE sql
RETURN btrim(regexp_replace(
    normalize(translate(
        name,
        E'\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064'
        '\u2066\u2067\u2068\u2069\ufeff',
        ''), NFC),
    E'[ \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g'));

UPDATE silver.region AS region
SET key = pg_temp.visible(key), name = pg_temp.visible(name)
WHERE pg_temp.visible(key) NOT IN (key, '')
  AND NOT EXISTS (SELECT FROM silver.region AS other
                  WHERE other.id <> region.id AND pg_temp.visible(other.key) = pg_temp.visible(region.key)
                    AND (other.id < region.id OR other.key = pg_temp.visible(other.key)));
UPDATE silver.datasource AS datasource
SET key = pg_temp.visible(key), name = pg_temp.visible(name)
WHERE pg_temp.visible(key) NOT IN (key, '')
  AND NOT EXISTS (SELECT FROM silver.datasource AS other
                  WHERE other.id <> datasource.id AND pg_temp.visible(other.key) = pg_temp.visible(datasource.key)
                    AND (other.id < datasource.id OR other.key = pg_temp.visible(other.key)));

-- A token's name is compared in the same form.
UPDATE ops.token AS token
SET name = pg_temp.visible(name)
WHERE pg_temp.visible(name) NOT IN (name, '')
  AND NOT EXISTS (SELECT FROM ops.token AS other
                  WHERE other.name <> token.name AND pg_temp.visible(other.name) = pg_temp.visible(token.name));
