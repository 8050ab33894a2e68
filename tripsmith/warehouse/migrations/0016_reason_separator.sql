-- Reasons are listed with "; " between them, so none may have it within.
CREATE OR REPLACE FUNCTION silver.time_form_fault(value text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~* '^([0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?[0-9]{3}|[0-9]{4}-?W[0-9]{2}-?[0-9])(Z|[+-][0-9]{2}:[0-9]{2})?$'
        THEN 'it has no time of day'
    WHEN value ~* '^[0-9]{4}[-0-9W]*[T ][0-9 :.,]*[0-9] *[ap]\.?m\.?$' THEN 'it has AM or PM: write the hour from 00 to 24'
    WHEN value ~* '^[0-9]{4}[-0-9W]*(T| +)([0-9]{1,2}:[0-9]{2}|[0-9]{4}|[0-9]{2})[.,][0-9]+ *(Z|[A-Z]{3}|[+-][0-9:]+)?$'
        THEN 'only seconds may have a fraction: write hours, minutes and seconds'
    WHEN value ~* '^[0-9]{4}[-0-9W]*(T| +)[0-9:.,]*[0-9] *([+-][0-9:]+ *)?[[(]?[A-Z]'
        THEN format('names of time zones are not read (%s): write the offset from UTC, such as -05:00',
                    left(substring(value FROM '(?i)^[-0-9W]+(?:T| +)[0-9:.,]+ *(.*)$'), 40))
    WHEN value ~* '^[0-9]{4}[-0-9W]*(T| +)[0-9:.,]*[0-9] *[+-][0-9:.]+$'
        THEN format('the offset %s is not one from -15:59 to +15:59, such as +05:30', substring(value FROM '[+-][0-9:.]+$'))
END;
