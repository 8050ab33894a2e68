-- Some of the trips of each ingestion that succeeded, by a hash of when and between which places they were: those whose hash
-- ends in as many zero bits as leave about 1,000 to 2,000 of them, and all trips of a small file. The same trips are in every
-- sample that is as dense, so that two samples tell how many trips two files share.
CREATE TABLE silver.trip_sample (
    hash         bigint NOT NULL,
    ingestion_id int NOT NULL,
    trips        int NOT NULL,             -- how many have this hash
    bits         smallint NOT NULL,        -- how many bits of every hash of the ingestion are zero
    PRIMARY KEY (hash, ingestion_id)
);
CREATE INDEX ON silver.trip_sample (ingestion_id);

-- Hash partitioning stands on the function of PostgreSQL's that this calls, so it gives the same in every version.
CREATE FUNCTION silver.trip_hash(started_at timestamp, origin_tile bigint, destination_tile bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN timestamp_hash_extended(started_at, origin_tile + 3 * destination_tile);
