-- Gold's second part, made after an ingestion has succeeded: trips by place, so that an area is answered without a scan of
-- silver. A segment holds one large ingestion, or many small ones; its tables are partitions that come and go with it.
-- An ingestion without a segment is answered from silver, slower and just as exactly.
CREATE TABLE gold.segment (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
ALTER TABLE ops.ingestion ADD COLUMN segment int REFERENCES gold.segment ON DELETE SET NULL;
CREATE INDEX ingestion_without_segment ON ops.ingestion (id) WHERE state = 'succeeded' AND segment IS NULL;
CREATE INDEX ingestion_segment ON ops.ingestion (segment);

-- Which segment an ingestion is in is nobody's news.
DROP TRIGGER ingestion_changed ON ops.ingestion;
CREATE TRIGGER ingestion_added AFTER INSERT ON ops.ingestion
    FOR EACH ROW EXECUTE FUNCTION ops.notify_ingestion();
CREATE TRIGGER ingestion_changed AFTER UPDATE ON ops.ingestion
    FOR EACH ROW WHEN (NEW.segment IS NOT DISTINCT FROM OLD.segment) EXECUTE FUNCTION ops.notify_ingestion();

-- Trips by cell and week, by the day of the week. `cell` is a tile (see silver.trip) with the bits of the zoom, `parent` the
-- one around it at the next coarser zoom kept (0 at the coarsest), by which the descent of an area's cover finds it.
CREATE TABLE gold.origin_week (
    segment       int,
    zoom          int,
    parent        bigint,
    cell          bigint,
    region_id     int,
    datasource_id int,
    week          date,
    monday        int,
    tuesday       int,
    wednesday     int,
    thursday      int,
    friday        int,
    saturday      int,
    sunday        int
) PARTITION BY LIST (segment);
CREATE TABLE gold.destination_week (LIKE gold.origin_week) PARTITION BY LIST (segment);

-- Trips by cell and hour: `hours` are pairs of an hour, as in the tables below, and its trips (4 bytes each, big-endian).
CREATE TABLE gold.origin_hour (
    segment       int,
    zoom          int,
    parent        bigint,
    cell          bigint,
    region_id     int,
    datasource_id int,
    hours         bytea STORAGE EXTERNAL
) PARTITION BY LIST (segment);
CREATE TABLE gold.destination_hour (LIKE gold.origin_hour INCLUDING STORAGE) PARTITION BY LIST (segment);

-- The trips themselves by cell, packed: what the edge of an area is decided by. Of each trip, in the same order: `points` the
-- end that lies in the cell and `others` the other one, as longitude and latitude (16 bytes, big-endian float8), `hours` the
-- days since 1970-01-01 times 32 plus the hour (4 bytes, big-endian).
CREATE TABLE gold.origin_trip (
    segment       int,
    parent        bigint,
    cell          bigint,
    region_id     int,
    datasource_id int,
    trips         bigint,
    points        bytea STORAGE EXTERNAL,
    others        bytea STORAGE EXTERNAL,
    hours         bytea STORAGE EXTERNAL
) PARTITION BY LIST (segment);
CREATE TABLE gold.destination_trip (LIKE gold.origin_trip INCLUDING STORAGE) PARTITION BY LIST (segment);

-- Trips by region, data source and hour; `hour` as in `hours` above.
CREATE TABLE gold.region_hour (
    segment       int,
    region_id     int,
    datasource_id int,
    hour          int,
    trips         bigint
) PARTITION BY LIST (segment);

-- Trips by the whole kilometres between their ends, as the crow flies.
CREATE TABLE gold.trip_length (
    segment    int,
    region_id  int,
    kilometres int,
    trips      bigint
) PARTITION BY LIST (segment);

-- Great-circle distance in kilometres, by the haversine formula (R. W. Sinnott, Virtues of the Haversine, Sky and Telescope
-- 68, 1984) on a sphere of the Earth's mean radius, 6371.0088 km.
CREATE FUNCTION silver.distance_km(longitude1 double precision, latitude1 double precision, longitude2 double precision,
                                   latitude2 double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 12742.0176 * asin(sqrt(least(1,
    sin(radians(latitude2 - latitude1) / 2) ^ 2
    + cos(radians(latitude1)) * cos(radians(latitude2)) * sin(radians(longitude2 - longitude1) / 2) ^ 2)));

-- Days since 1970-01-01 times 32, plus the hour: the day and the hour of a local time in 4 bytes.
CREATE FUNCTION silver.day_hour(started_at timestamp) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (started_at::date - date '1970-01-01') * 32 + date_part('hour', started_at)::int;
