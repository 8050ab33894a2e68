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

-- One row a valid trip. A large ingestion is a partition of its own, small ones share lot 0: a removal is then a
-- partition dropped, and ten thousand files are not ten thousand partitions.
CREATE TABLE silver.trip (
    started_at            timestamp NOT NULL,         -- local time, as written
    origin_longitude      double precision NOT NULL,
    origin_latitude       double precision NOT NULL,
    destination_longitude double precision NOT NULL,
    destination_latitude  double precision NOT NULL,
    origin_tile           bigint NOT NULL,            -- web-mercator tile at zoom 26: x << 32 | y
    destination_tile      bigint NOT NULL,
    line                  bigint NOT NULL,
    lot                   int NOT NULL,
    ingestion_id          int NOT NULL,
    region_id             int NOT NULL,
    datasource_id         int NOT NULL,
    utc_offset_minutes    smallint                    -- where the file states one
) PARTITION BY LIST (lot);
CREATE TABLE silver.trip_0 PARTITION OF silver.trip (lot DEFAULT 0) FOR VALUES IN (0);
CREATE INDEX trip_0_ingestion ON silver.trip_0 (ingestion_id);

CREATE TABLE silver.rejected_row (
    ingestion_id int NOT NULL,
    line         bigint NOT NULL,
    record       bytea NOT NULL,
    reasons      text[] NOT NULL CHECK (reasons <> '{}'),
    PRIMARY KEY (ingestion_id, line)
);

-- Gold is kept by lot as silver is: a large ingestion's gold is dropped with its partition, small files add up in lot 0.
-- Trips with the same origin cell, destination cell and hour of day. Cells are quadbins of zoom 14.
CREATE TABLE gold.trip_group (
    lot              int,
    region_id        int,
    hour             int,
    origin_cell      bigint,
    destination_cell bigint,
    trips            bigint
) PARTITION BY LIST (lot);
CREATE TABLE gold.trip_group_0 PARTITION OF gold.trip_group FOR VALUES IN (0);
CREATE UNIQUE INDEX ON gold.trip_group_0 (origin_cell, destination_cell, hour, region_id);

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
