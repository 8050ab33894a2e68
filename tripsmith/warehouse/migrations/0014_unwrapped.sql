-- A value without the quotes around it if a blank is before them, as in `a, "b"`: a quote opens no field there. The same as
-- tripsmith.names.unwrapped.
CREATE FUNCTION silver.unwrapped(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value ~ '^\s+".*"\s*$' THEN replace(substring(value FROM '^\s+"(.*)"\s*$'), '""', '"') ELSE value END;
