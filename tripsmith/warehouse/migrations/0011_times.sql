-- Every form of ISO 8601 that names a date and a time of day, with or without an offset from UTC. The functions of before
-- read the extended form only, and dropped the offset of a value of up to 16 characters, such as `2019-07-01 9:03Z`.
DROP FUNCTION silver.point_fault(text, text, text);
DROP FUNCTION silver.time_fault(text, text, text);
DROP FUNCTION silver.local_time(text);
DROP FUNCTION silver.utc_offset_minutes(text);

-- Text with every blank as a space, every hyphen and minus sign as `-`, and without invisible characters.
CREATE FUNCTION silver.plain(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(CASE
    WHEN octet_length(value) = length(value) THEN value
    ELSE translate(
        value,
        E'\u2010\u2011\u2212'
        '\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
        '\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064'
        '\u2066\u2067\u2068\u2069\ufeff',
        '---' || repeat(' ', 19))
END, E' \t\r\n\f\v');

-- What to say of a value that is missing: blank, or one of `missing_values` in any case; NULL where it is neither.
CREATE FUNCTION silver.missing_fault(name text, value text, missing_values text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN silver.plain(value) = '' THEN name || ' is missing'
    WHEN lower(silver.plain(value) COLLATE "C") = ANY (missing_values)
        THEN format('%s is missing: %s stands for no value', name, silver.plain(value))
END;

-- What is wrong with a point; NULL when nothing is. `pair` is what point_pair made of the value.
CREATE FUNCTION silver.point_fault(name text, value text, pair text, missing_values text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN pair IS NULL OR NOT pg_input_is_valid(pair, 'point') THEN coalesce(
        silver.missing_fault(name, value, missing_values),
        CASE
            WHEN value ~* '^\s*POINT\s+EMPTY\s*$' THEN name || ' is an empty point'
            ELSE format('%s %s is not a point such as POINT (14.42 50.08)', name, left(value, 60))
        END)
    WHEN NOT (pair::point)[1] BETWEEN -90 AND 90
        THEN format('%s: latitude %s is not between -90 and 90', name, (pair::point)[1])
    WHEN NOT (pair::point)[0] BETWEEN -180 AND 180
        THEN format('%s: longitude %s is not between -180 and 180', name, (pair::point)[0])
END;

-- The parts of a date and time of ISO 8601 as they are written: the date; the time of day with seconds, and up to six
-- digits of their fraction; the time of day without seconds; the offset. NULL where the text has no such form.
-- Digits and blanks are listed, as \d and \s depend on the locale. Microseconds are what PostgreSQL holds: digits beyond
-- are cut off, as rounding could reach the next day.
-- The usual forms are taken apart by position: to match is cheap, to match with parentheses costs six times as much.
CREATE FUNCTION silver.time_parts(value text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?'
                  '(?: ?(?:[Zz]|UTC|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?))?$')
        THEN ARRAY[
            left(value, 10),
            CASE WHEN substr(value, 17, 1) = ':' THEN substr(value, 12, 8) END,
            CASE WHEN substr(value, 20, 1) IN ('.', ',') THEN substring(substr(value, 21, 6) FROM '^[0-9]+') END,
            CASE WHEN substr(value, 17, 1) <> ':' OR length(value) = 16 THEN substr(value, 12, 5) END,
            nullif(ltrim(substr(value, 17), ':.,0123456789 '), '')]
    ELSE regexp_match(
        silver.plain(value),
        '^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4}-[0-9]{3}|[0-9]{7}|[0-9]{4}-[Ww][0-9]{2}-[0-9]|[0-9]{4}[Ww][0-9]{3})'
        '(?:[Tt]|[ \t]+)'
        '(?:([0-9]{1,2}:[0-9]{2}:[0-9]{2}|[0-9]{6})(?:[.,]([0-9]{1,6})[0-9]*)?|([0-9]{1,2}:[0-9]{2}|[0-9]{4}|[0-9]{2}))'
        '(?:[ \t]*([Zz]|[Uu][Tt][Cc]|[Gg][Mm][Tt]|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?))?$')
END;

-- The day of a week date or of an ordinal date as YYYY-MM-DD; NULL for one that the year does not have.
CREATE FUNCTION silver.counted_date(written text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
    SELECT to_char(counted.day, 'YYYY-MM-DD')
    FROM (SELECT left(written, 4)::int AS year, translate(upper(written), '-W', '') AS digits,
                 written ~ '[Ww]' AS has_week) AS part
    -- The 4th of January is in week 1, and weeks begin on Monday.
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN year = 0 THEN NULL
            WHEN has_week
                THEN date_trunc('week', make_date(year, 1, 4)::timestamp)
                    + make_interval(days => substr(digits, 5, 2)::int * 7 + right(digits, 1)::int - 8)
            ELSE make_date(year, 1, 1)::timestamp + make_interval(days => right(digits, 3)::int - 1)
        END AS day
    ) AS counted
    WHERE to_char(counted.day, CASE WHEN has_week THEN 'IYYYIWID' ELSE 'YYYYDDD' END) = digits
);

-- A date of any form as YYYY-MM-DD, if there is such a day: 2018-02-30 is still in it. PostgreSQL inlines this, but not what
-- has a query in it: calling that costs ten times as much.
CREATE FUNCTION silver.calendar_date(written text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN written LIKE '____-__-__' THEN written
    WHEN length(written) = 8 AND written ~ '^[0-9]+$'
        THEN left(written, 4) || '-' || substr(written, 5, 2) || '-' || right(written, 2)
    ELSE silver.counted_date(written)
END;

-- The local part of a date and time, as the type timestamp reads it; NULL where there is none. Second 60, a leap second, is
-- second 0 of the next minute, and 24:00 is 00:00 of the next day.
CREATE FUNCTION silver.local_time(parts text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN silver.calendar_date(parts[1]) || ' ' || CASE
    WHEN parts[2] LIKE '%:%' THEN parts[2] || coalesce('.' || parts[3], '')
    WHEN parts[2] IS NOT NULL
        THEN left(parts[2], 2) || ':' || substr(parts[2], 3, 2) || ':' || right(parts[2], 2) || coalesce('.' || parts[3], '')
    WHEN parts[4] LIKE '%:%' THEN parts[4]
    WHEN length(parts[4]) = 4 THEN left(parts[4], 2) || ':' || right(parts[4], 2)
    ELSE parts[4] || ':00'
END;

-- The offset from UTC that a date and time states; NULL where it states none.
CREATE FUNCTION silver.utc_offset_minutes(parts text[]) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN parts[5] IS NULL THEN NULL
    WHEN parts[5] !~ '^[+-]' THEN 0
    ELSE (left(parts[5], 1) || '1')::smallint
        * (substr(parts[5], 2, 2)::smallint * 60
           + CASE WHEN length(parts[5]) > 3 THEN right(parts[5], 2)::smallint ELSE 0 END)
END;

-- Why a text is not of a form that time_parts reads; NULL where there is no more to say.
CREATE FUNCTION silver.time_form_fault(value text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~* '^([0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?[0-9]{3}|[0-9]{4}-?W[0-9]{2}-?[0-9])(Z|[+-][0-9]{2}:[0-9]{2})?$'
        THEN 'it has no time of day'
    WHEN value ~* '^[0-9]{4}[-0-9W]*[T ][0-9 :.,]*[0-9] *[ap]\.?m\.?$' THEN 'it has AM or PM; write the hour from 00 to 24'
    WHEN value ~* '^[0-9]{4}[-0-9W]*(T| +)([0-9]{1,2}:[0-9]{2}|[0-9]{4}|[0-9]{2})[.,][0-9]+ *(Z|[A-Z]{3}|[+-][0-9:]+)?$'
        THEN 'only seconds may have a fraction; write hours, minutes and seconds'
    WHEN value ~* '^[0-9]{4}[-0-9W]*(T| +)[0-9:.,]*[0-9] *([+-][0-9:]+ *)?[[(]?[A-Z]'
        THEN format('names of time zones are not read (%s); write the offset from UTC, such as -05:00',
                    left(substring(value FROM '(?i)^[-0-9W]+(?:T| +)[0-9:.,]+ *(.*)$'), 40))
    WHEN value ~* '^[0-9]{4}[-0-9W]*(T| +)[0-9:.,]*[0-9] *[+-][0-9:.]+$'
        THEN format('the offset %s is not one from -15:59 to +15:59, such as +05:30', substring(value FROM '[+-][0-9:.]+$'))
END;

-- What is wrong with a date and time; NULL when nothing is. `parts` is what time_parts made of the value, `local` what
-- local_time made of these.
CREATE FUNCTION silver.time_fault(name text, value text, parts text[], local text, missing_values text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    -- 24:00:00 on the last day of 9999 is a year that few programs can hold.
    WHEN CASE WHEN pg_input_is_valid(local, 'timestamp') THEN local::timestamp < '10000-01-01' END THEN NULL
    ELSE coalesce(
        silver.missing_fault(name, value, missing_values),
        format('%s %s is not a date and time', name, left(value, 60)) || CASE
            WHEN parts IS NULL THEN coalesce(': ' || silver.time_form_fault(silver.plain(value)), ' such as 2018-05-28 09:03:40')
            WHEN pg_input_is_valid(local, 'timestamp') THEN ': it is after the year 9999'
            WHEN pg_input_is_valid(silver.calendar_date(parts[1]), 'date')
                THEN format(': there is no time of day %s', coalesce(parts[2], parts[4]))
            ELSE format(': there is no day %s', parts[1])
        END)
END;

-- Why a trip is suspicious, as codes; NULL where it is not. `after_tomorrow` is the day after tomorrow, as seen from the day
-- that the ingestion was created, so that a rebuild finds the same.
CREATE FUNCTION silver.suspicions(started_at timestamp, after_tomorrow date) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN started_at < '1900-01-01' THEN '{before_1900}'::text[]
    WHEN started_at >= after_tomorrow THEN '{after_tomorrow}'::text[]
END;
