-- What would mislead about an ingestion is kept with it and shown wherever it is shown.
ALTER TABLE ops.ingestion ADD notes jsonb NOT NULL DEFAULT '[]';

-- What a chunk found that a note may be made of, by code: {"extra_fields": {"rows": 500, "first_line": 2}}. Numbers are added
-- up over the chunks, first lines are the smallest.
ALTER TABLE ops.chunk ADD facts jsonb NOT NULL DEFAULT '{}';

-- Why a trip is suspicious: codes such as 'after_tomorrow'; NULL, and no column at all in most pieces, where nothing is.
ALTER TABLE silver.trip ADD suspicious text[];

-- How many trips have a mark, such as a reason to be suspicious or 'states_utc', so that answers can say so without a scan.
CREATE TABLE silver.trip_mark (
    ingestion_id  int NOT NULL,
    region_id     int NOT NULL,
    datasource_id int NOT NULL,
    mark          text NOT NULL,
    trips         bigint NOT NULL
);
CREATE INDEX ON silver.trip_mark (ingestion_id);
