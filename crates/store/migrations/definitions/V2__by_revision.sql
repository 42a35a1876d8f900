-- What a tenant's changes since a revision wrote, without looking at all it has.
CREATE INDEX definitions_by_revision ON definitions (tenant, revision);
