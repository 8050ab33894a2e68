-- The four schemas, and what Tripsmith knows of its own work.
CREATE SCHEMA bronze;
CREATE SCHEMA silver;
CREATE SCHEMA gold;

-- One row for each distinct header seen; its bronze table holds every file with that header.
CREATE TABLE ops.header (
    id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    columns      text[] NOT NULL,          -- as in the file; no index would hold hundreds of long names
    column_names text[] NOT NULL,          -- as in bronze, where PostgreSQL could not take the header's name
    table_name   text NOT NULL UNIQUE
);

CREATE TABLE ops.ingestion (
    id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_name       text NOT NULL,
    source_path     text NOT NULL,         -- where the bytes lie while they are needed
    owns_source     boolean NOT NULL,      -- an upload or a spooled stream: deleted after success
    sha256          bytea NOT NULL CHECK (length(sha256) = 32),
    format          text NOT NULL,
    encoding        text NOT NULL,
    region          text,                  -- option: the region of every row of this file
    datasource      text,                  -- option: the data source of every row of this file
    header_id       int REFERENCES ops.header,
    lot             int,                   -- partition of its rows in every layer; 0 is shared by small files
    state           text NOT NULL DEFAULT 'queued'
                    CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'removed')),
    phase           text CHECK (phase IN ('bronze', 'silver', 'gold')),
    cancel_requested boolean NOT NULL DEFAULT false,
    bytes_done      bigint NOT NULL DEFAULT 0,
    bytes_total     bigint NOT NULL,
    rows_read       bigint NOT NULL DEFAULT 0,
    rows_loaded     bigint NOT NULL DEFAULT 0,
    rows_rejected   bigint NOT NULL DEFAULT 0,
    rows_per_second double precision,
    eta_seconds     double precision,
    message         text,
    error           text,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at      timestamptz,
    finished_at     timestamptz,
    CHECK (state <> 'succeeded' OR rows_read = rows_loaded + rows_rejected)
);
-- The same content is in the warehouse once.
CREATE UNIQUE INDEX ingestion_content ON ops.ingestion (sha256) WHERE state <> 'removed';
CREATE INDEX ingestion_unfinished ON ops.ingestion (id) WHERE state IN ('queued', 'running');

-- The mark of a chunk whose rows are in bronze and silver; it commits with them.
CREATE TABLE ops.chunk (
    ingestion_id  int NOT NULL REFERENCES ops.ingestion,
    number        int NOT NULL,
    byte_offset   bigint NOT NULL,
    byte_length   bigint NOT NULL,
    source_bytes  bigint NOT NULL,         -- its share of the file as it lies on disk, packed or not
    first_line    bigint NOT NULL,
    lines         bigint NOT NULL,         -- physical lines
    digest        bytea NOT NULL,
    rows_read     bigint NOT NULL,
    rows_loaded   bigint NOT NULL,
    rows_rejected bigint NOT NULL,
    PRIMARY KEY (ingestion_id, number),
    CHECK (rows_read = rows_loaded + rows_rejected)
);
