-- What was done about the occurrences of schedules: metadata only. `state` is JSON.
CREATE TABLE schedules (
    tenant      TEXT NOT NULL,
    environment TEXT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (tenant, environment, name)
);
