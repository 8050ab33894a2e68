-- Every change of an ingestion is told to whoever listens; the payload is its id, the listener reads the rest.
CREATE FUNCTION ops.notify_ingestion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tripsmith_ingestion', NEW.id::text);
    RETURN NULL;
END;
$$;
CREATE TRIGGER ingestion_changed AFTER INSERT OR UPDATE ON ops.ingestion
    FOR EACH ROW EXECUTE FUNCTION ops.notify_ingestion();
