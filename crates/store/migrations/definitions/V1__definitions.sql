-- Definitions of all tenants: versioned rows, blobs, and the index of compiled modules.
-- Plain SQL and type names that SQLite and PostgreSQL both take.

-- What kind of file this is and who made it.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One counter per tenant orders all its changes. `writer` and `seq` name the audit entry that
-- announced the newest one.
CREATE TABLE tenants (
    tenant   TEXT   NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    writer   TEXT   NOT NULL,
    seq      BIGINT NOT NULL
);

-- Every version of every row; the newest of a (tenant, kind, id) is the one that counts. `body` is
-- JSON; NULL for a deletion and for replaced secrets.
CREATE TABLE definitions (
    tenant   TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    revision BIGINT  NOT NULL,
    at       BIGINT  NOT NULL,
    deleted  BOOLEAN NOT NULL,
    body     TEXT,
    PRIMARY KEY (tenant, kind, id, revision)
);

-- Bundles and modules under their digest, per tenant: nothing is shared across tenants.
CREATE TABLE blobs (
    tenant TEXT  NOT NULL,
    digest BYTEA NOT NULL,
    bytes  BYTEA NOT NULL,
    PRIMARY KEY (tenant, digest)
);

-- What was compiled before, so that the same input gives the stored bytes again.
CREATE TABLE modules (
    tenant        TEXT   NOT NULL,
    source        BYTEA  NOT NULL,
    orchestration TEXT   NOT NULL,
    compiler      TEXT   NOT NULL,
    abi           BIGINT NOT NULL,
    module        BYTEA  NOT NULL,
    PRIMARY KEY (tenant, source, orchestration, compiler, abi),
    FOREIGN KEY (tenant, module) REFERENCES blobs (tenant, digest)
);
