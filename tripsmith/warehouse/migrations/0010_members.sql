-- The CSVs that a file holds: those of an archive, or, where it is no archive, the one that it is. Their SHA-256 is what
-- content is known by, whatever it is packed in.
CREATE TABLE ops.member (
    ingestion_id int NOT NULL REFERENCES ops.ingestion,
    number       int NOT NULL,             -- its place in the archive
    name         text NOT NULL,            -- '' where the file is no archive
    sha256       bytea NOT NULL CHECK (length(sha256) = 32),
    first_line   bigint,                   -- where it starts in the unpacked file; NULL where it is left out
    lines        bigint,                   -- physical lines, its header with them; NULL where nobody counted them
    holds        boolean NOT NULL,         -- whether this ingestion is the one that has this content
    PRIMARY KEY (ingestion_id, number),
    CHECK (NOT holds OR first_line IS NOT NULL)
);
-- The same content is in the warehouse once.
CREATE UNIQUE INDEX member_content ON ops.member (sha256) WHERE holds;

-- Of files that were packed nobody knows any more what the SHA-256 of their text was; they are known by their bytes.
INSERT INTO ops.member (ingestion_id, number, name, sha256, first_line, holds)
SELECT id, 0, '', sha256, 1, true
FROM ops.ingestion
WHERE state <> 'removed';

-- An archive sent again after one of the members that it shares with others was removed is a second ingestion of the same
-- bytes: that of this member alone.
DROP INDEX ops.ingestion_content;
CREATE INDEX ingestion_content ON ops.ingestion (sha256) WHERE state <> 'removed';

-- Whether an ingestion is to fail where most of its rows are in the warehouse already.
ALTER TABLE ops.ingestion ADD refuse_overlap boolean NOT NULL DEFAULT false;
