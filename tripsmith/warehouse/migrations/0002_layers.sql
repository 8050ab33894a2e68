-- Bronze tables are made one for each header (see bronze/table.sql); records that fit no table are kept here.
CREATE TABLE bronze.malformed_line (
    ingestion_id int NOT NULL,
    line         bigint NOT NULL,          -- physical line where the record starts
    record       bytea NOT NULL,           -- byte for byte
    reasons      text[] NOT NULL,
    PRIMARY KEY (ingestion_id, line)
);

-- Regions and data sources by number, so that a trip carries 4 bytes for each and not its name.
-- `key` is the name trimmed and case-folded by Python: lower() depends on the server's locale.
CREATE TABLE silver.region (
    id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key  text NOT NULL UNIQUE,
    name text NOT NULL                     -- as first seen
);
CREATE TABLE silver.datasource (
    id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key  text NOT NULL UNIQUE,
    name text NOT NULL
);
-- Every way a name was written in a file, so that a row finds its number by plain equality.
CREATE TABLE silver.region_spelling (
    spelling  text PRIMARY KEY,
    region_id int NOT NULL REFERENCES silver.region
);
CREATE TABLE silver.datasource_spelling (
    spelling      text PRIMARY KEY,
    datasource_id int NOT NULL REFERENCES silver.datasource
);

-- One row a valid trip. A large ingestion has partitions of its own, one a chunk, each filled by CREATE TABLE AS: that
-- writes a row in half the time of INSERT. Small ingestions share lot 0: ten thousand files are not ten thousand
-- partitions. What gold reads comes first, as PostgreSQL takes a row apart up to the last column that is asked for.
-- Columns are not declared NOT NULL, as that would be checked once more when a partition is attached.
CREATE TABLE silver.trip (
    started_at            timestamp,                  -- local time, as written
    region_id             int,
    datasource_id         int,
    origin_tile           bigint,                     -- web-mercator tile at zoom 26: x << 32 | y
    destination_tile      bigint,
    origin_longitude      double precision,
    origin_latitude       double precision,
    destination_longitude double precision,
    destination_latitude  double precision,
    line                  bigint,
    utc_offset_minutes    smallint,                   -- where the file states one
    lot                   int,
    ingestion_id          int
) PARTITION BY RANGE (lot, line);
CREATE TABLE silver.trip_0 PARTITION OF silver.trip FOR VALUES FROM (0, MINVALUE) TO (0, MAXVALUE);
CREATE INDEX trip_0_ingestion ON silver.trip_0 (ingestion_id);

CREATE TABLE silver.rejected_row (
    ingestion_id int NOT NULL,
    line         bigint NOT NULL,
    record       bytea NOT NULL,
    reasons      text[] NOT NULL CHECK (reasons <> '{}'),
    PRIMARY KEY (ingestion_id, line)
);

-- Gold is kept by lot as silver is: a large ingestion's gold is dropped with its partition, small files add up in lot 0.
-- Trips with the same origin cell, destination cell and hour of day. A cell is kept as its tile: zoom 13, in the bits of
-- zoom 26, so that coarser cells are found by masking. gold.quadbin(tile, 13) is its name.
CREATE TABLE gold.trip_group (
    lot              int,
    region_id        int,
    hour             int,
    origin_tile      bigint,
    destination_tile bigint,
    trips            bigint
) PARTITION BY LIST (lot);
CREATE TABLE gold.trip_group_0 PARTITION OF gold.trip_group FOR VALUES IN (0);
CREATE UNIQUE INDEX ON gold.trip_group_0 (origin_tile, destination_tile, hour, region_id);

-- Trips of a region and data source by week, named by its Monday.
CREATE TABLE gold.region_week (
    lot           int,
    region_id     int,
    datasource_id int,
    week          date,
    trips         bigint,
    first_trip    timestamp,
    last_trip     timestamp
) PARTITION BY LIST (lot);
CREATE TABLE gold.region_week_0 PARTITION OF gold.region_week FOR VALUES IN (0);
CREATE UNIQUE INDEX ON gold.region_week_0 (region_id, datasource_id, week);
