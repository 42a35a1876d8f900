-- Up to where audit chains were removed because they are no longer kept: the first entry that is left follows it.
-- `signature` is over tenant, writer, seq, hash and at.
CREATE TABLE anchors (
    tenant    TEXT   NOT NULL,
    writer    TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    hash      BYTEA  NOT NULL,
    at        BIGINT NOT NULL,
    signature TEXT   NOT NULL,
    PRIMARY KEY (tenant, writer)
);

-- What somebody looks for in the log is looked for from the newest on.
CREATE INDEX audit_by_time ON audit (tenant, at, writer, seq);
