-- Modules that completed a run in an environment: what the stage rule asks. A run's row may go; that
-- its module was green stays. Digests as text, as run records have them.
CREATE TABLE green (
    tenant      TEXT NOT NULL,
    environment TEXT NOT NULL,
    module      TEXT NOT NULL,
    PRIMARY KEY (tenant, environment, module)
);

-- The digest of what runs, so that closing a run need not read its record.
ALTER TABLE runs ADD COLUMN module TEXT;

-- What completed before this version. Only SQLite has such files.
INSERT INTO green (tenant, environment, module)
SELECT DISTINCT tenant, environment, record ->> 'module' FROM runs
WHERE phase = 'completed' AND record ->> 'module' IS NOT NULL;
