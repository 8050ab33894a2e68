-- What the benchmark of live events notes in its own database.

-- name: note_changes
-- When each state was written, by the database's clock, just before its commit: a listener of ours would be late itself.
CREATE TABLE public.change (
    ingestion_id int, written_at timestamptz, state text, phase text, rows_read bigint, bytes_done bigint
);
CREATE FUNCTION public.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.change
    VALUES (NEW.id, clock_timestamp(), NEW.state, NEW.phase, NEW.rows_read, NEW.bytes_done);
    RETURN NULL;
END;
$$;
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON ops.ingestion FOR EACH ROW EXECUTE FUNCTION public.note_change();

-- name: list_changes
SELECT state, phase, rows_read, bytes_done, array_agg(extract(epoch FROM written_at)::float8 ORDER BY written_at)
FROM public.change
WHERE ingestion_id = %(ingestion_id)s
GROUP BY state, phase, rows_read, bytes_done
