-- What replaces the values of a column that the file has, and how many rejected rows an ingestion may have: a number such
-- as '100', or a share of the rows read such as '5%'.
ALTER TABLE ops.ingestion
    ADD override_region text,
    ADD override_datasource text,
    ADD max_rejected text;
