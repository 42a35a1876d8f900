-- Run records and the audit log of all tenants: metadata only.
-- Plain SQL and type names that SQLite and PostgreSQL both take.

-- What kind of file this is, and the writer whose process appends here.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Append-only; one hash chain per (tenant, writer). `entry` is the canonical JSON under the hash:
-- text, because the very bytes count. `at` and `event` repeat members of it.
CREATE TABLE audit (
    tenant TEXT   NOT NULL,
    writer TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    prev   BYTEA  NOT NULL,
    hash   BYTEA  NOT NULL,
    at     BIGINT NOT NULL,
    event  TEXT   NOT NULL,
    entry  TEXT   NOT NULL,
    PRIMARY KEY (tenant, writer, seq)
);

-- The newest revision a writer announced for a tenant, the place of its audit entry, whether it is
-- known what became of it, and the newest one that is known to be applied.
CREATE TABLE announcements (
    tenant    TEXT    NOT NULL,
    writer    TEXT    NOT NULL,
    announced BIGINT  NOT NULL,
    seq       BIGINT  NOT NULL,
    settled   BOOLEAN NOT NULL,
    applied   BIGINT  NOT NULL,
    PRIMARY KEY (tenant, writer)
);

-- Runs. `record` is written at opening, `outcome` at closing; the columns are for look-ups.
CREATE TABLE runs (
    tenant      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    writer      TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    phase       TEXT   NOT NULL,
    started     BIGINT NOT NULL,
    ended       BIGINT,
    record      TEXT   NOT NULL,
    outcome     TEXT,
    PRIMARY KEY (tenant, id)
);

-- Ids sort by time: the newest runs of one orchestration are read backwards.
CREATE INDEX runs_by_name ON runs (tenant, environment, name, id);

-- What a start looks for: runs that a process left behind.
CREATE INDEX runs_left ON runs (writer) WHERE phase = 'running';
