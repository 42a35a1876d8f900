-- The newest runs of an environment are read backwards, however many another one has.
CREATE INDEX runs_by_environment ON runs (tenant, environment, id);

-- Open runs: what a start finds left behind, and what people look for who want to end one.
DROP INDEX runs_left;
CREATE INDEX runs_open ON runs (tenant, environment, id) WHERE phase = 'running';
