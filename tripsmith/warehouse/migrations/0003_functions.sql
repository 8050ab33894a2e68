-- Small functions that PostgreSQL inlines or calls seldom.

-- A point's web-mercator tile at zoom 26, x << 32 | y. Beyond 85.0511 degrees the outermost row is meant, and 180 is
-- the column of -180. Formula: https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames
-- y = 2^25 * (1 - asinh(tan(lat)) / pi), with asinh(tan(lat)) = atanh(sin(lat)). The latitudes that it is cut off at lie
-- inside the outermost rows, by a micrometre.
CREATE FUNCTION silver.tile(longitude double precision, latitude double precision) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN
    ((floor((longitude + 180) * 186413.51111111112)::bigint & 67108863) << 32)
    | floor(33554432 - 10680707.430881744
        * atanh(sin(radians(least(85.05112877980, greatest(-85.05112877980, latitude))))))::bigint;

-- Text as '(lon,lat)', which the type point reads; NULL where it is nothing like a point. The usual spelling is tried
-- first, as a regular expression costs ten times as much. A comma between the numbers is taken as well.
CREATE FUNCTION silver.point_pair(value text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN starts_with(value, 'POINT (') AND pg_input_is_valid(replace(substr(value, 7), ' ', ','), 'point')
        THEN replace(substr(value, 7), ' ', ',')
    ELSE regexp_replace(
        substring(value FROM '(?i)^\s*POINT\s*(\([^()]*\))\s*$'),
        '^\(\s*([^\s,]+)(?:\s+|\s*,\s*)([^\s,]+)\s*\)$', '(\1,\2)')
END;

-- What is wrong with a point; NULL when nothing is. `pair` is what point_pair made of the value.
CREATE FUNCTION silver.point_fault(name text, value text, pair text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN pair IS NULL OR NOT pg_input_is_valid(pair, 'point') THEN CASE
        WHEN btrim(value) = '' THEN name || ' is missing'
        WHEN value ~* '^\s*POINT\s+EMPTY\s*$' THEN name || ' is an empty point'
        ELSE format('%s %s is not a point such as POINT (14.42 50.08)', name, left(value, 60))
    END
    WHEN NOT (pair::point)[1] BETWEEN -90 AND 90
        THEN format('%s: latitude %s is not between -90 and 90', name, (pair::point)[1])
    WHEN NOT (pair::point)[0] BETWEEN -180 AND 180
        THEN format('%s: longitude %s is not between -180 and 180', name, (pair::point)[0])
END;

-- The part of a date and time that is local, as the type timestamp reads it; NULL where there is none. Only ISO 8601
-- is taken, so that `now`, `infinity` and the order of day and month play no part; the cast alone would also take `P9` for
-- an hour, and `2T` for a day.
CREATE FUNCTION silver.local_time(value text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN substring(
    value FROM '(?i)^\s*(\d{4}-\d\d-\d\d[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)'
        '(?:\s*(?:Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?))?\s*$');

-- The offset from UTC that a date and time states; NULL where it states none.
CREATE FUNCTION silver.utc_offset_minutes(value text) RETURNS smallint
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN length(value) <= 16 THEN NULL
    WHEN value ~* ':\d\d(\.\d+)?\s*Z\s*$' THEN 0
    ELSE (substring(value FROM ':\d\d(?:\.\d+)?\s*([+-])\d\d:?(?:\d\d)?\s*$') || '1')::smallint
        * (substring(value FROM ':\d\d(?:\.\d+)?\s*[+-](\d\d):?(?:\d\d)?\s*$')::smallint * 60
           + coalesce(substring(value FROM ':\d\d(?:\.\d+)?\s*[+-]\d\d:?(\d\d)\s*$'), '0')::smallint)
END;

-- What is wrong with a date and time; NULL when nothing is. `local` is what local_time made of the value.
CREATE FUNCTION silver.time_fault(name text, value text, local text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN CASE
        -- 24:00:00 on the last day of 9999 is a year that few programs can hold.
        WHEN local IS NOT NULL AND pg_input_is_valid(local, 'timestamp') THEN local::timestamp < '10000-01-01'
    END THEN NULL
    WHEN btrim(value) = '' THEN name || ' is missing'
    WHEN value ~ '^\s*\d{4}-\d\d-\d\d\s*$' THEN format('%s %s has no time of day', name, left(value, 40))
    ELSE format('%s %s is not a date and time such as 2018-05-28 09:03:40', name, left(value, 40))
END;

-- The quadbin of a tile at a coarser zoom. Specification: https://docs.carto.com/data-and-analysis/analytics-toolbox-overview/discrete-global-grid-systems/quadbin
-- 0x4000… header, mode 1, the zoom in 5 bits, then the interleaved bits of x and y, the unused ones set.
CREATE FUNCTION gold.quadbin(tile bigint, zoom int) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    x bigint := (tile >> 32) >> (26 - zoom);
    y bigint := (tile & 4294967295) >> (26 - zoom);
BEGIN
    x := (x | (x << 16)) & x'0000FFFF0000FFFF'::bigint;
    y := (y | (y << 16)) & x'0000FFFF0000FFFF'::bigint;
    x := (x | (x << 8)) & x'00FF00FF00FF00FF'::bigint;
    y := (y | (y << 8)) & x'00FF00FF00FF00FF'::bigint;
    x := (x | (x << 4)) & x'0F0F0F0F0F0F0F0F'::bigint;
    y := (y | (y << 4)) & x'0F0F0F0F0F0F0F0F'::bigint;
    x := (x | (x << 2)) & x'3333333333333333'::bigint;
    y := (y | (y << 2)) & x'3333333333333333'::bigint;
    x := (x | (x << 1)) & x'5555555555555555'::bigint;
    y := (y | (y << 1)) & x'5555555555555555'::bigint;
    RETURN x'4800000000000000'::bigint | (zoom::bigint << 52)
        | ((x | (y << 1)) << (52 - 2 * zoom)) | (x'000FFFFFFFFFFFFF'::bigint >> (2 * zoom));
END;
$$;

-- The bits of a tile (x << 32 | y at zoom 26) that tell its cell at a coarser zoom.
CREATE FUNCTION gold.tile_mask(zoom int) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((1::bigint << 26) - (1::bigint << (26 - zoom))) * ((1::bigint << 32) + 1);
