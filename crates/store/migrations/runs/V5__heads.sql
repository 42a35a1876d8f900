-- Where audit chains ended when their ends were signed last: all before is under the hash. `signature` is over tenant,
-- writer, seq, hash and at.
CREATE TABLE heads (
    tenant    TEXT   NOT NULL,
    writer    TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    hash      BYTEA  NOT NULL,
    at        BIGINT NOT NULL,
    signature TEXT   NOT NULL,
    PRIMARY KEY (tenant, writer)
);
