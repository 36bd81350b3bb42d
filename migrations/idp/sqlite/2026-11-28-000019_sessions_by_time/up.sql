CREATE INDEX sessions_by_time ON sessions (tenant_id, created_at, id);
