-- What a run needs to know of its file without reading it twice, and to cut it as it was cut before.
ALTER TABLE ops.ingestion
    ADD source_modified_ns bigint NOT NULL DEFAULT 0,  -- when the file was last written to, in ns since 1970, as submitted
    ADD chunk_bytes        int,                        -- the size that it is cut into
    ADD delimiter          text;                       -- of its columns, for rejected rows to be told as they came
-- What proves that a file is the same is the SHA-256 of all of it; a chunk is known by its place.
ALTER TABLE ops.chunk DROP digest;
