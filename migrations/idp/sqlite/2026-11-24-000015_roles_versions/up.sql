ALTER TABLE users ADD COLUMN roles_version BIGINT NOT NULL DEFAULT 0;

CREATE INDEX sessions_by_user ON sessions (tenant_id, user_id);

CREATE INDEX grants_by_user ON grants (tenant_id, user_id);
