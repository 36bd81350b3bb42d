ALTER TABLE tenants ADD COLUMN status TEXT NOT NULL DEFAULT 'active';

ALTER TABLE tenants ADD COLUMN wanted_status TEXT;

ALTER TABLE tenants ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

CREATE INDEX tenants_by_time ON tenants (created_at, id);
