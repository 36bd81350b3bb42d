ALTER TABLE audit_entries ADD COLUMN actor_tenant_id TEXT;
ALTER TABLE audit_entries ADD COLUMN acting_party_kind TEXT;
ALTER TABLE audit_entries ADD COLUMN acting_party_id TEXT;

CREATE INDEX audit_entries_by_actor ON audit_entries (tenant_id, actor_id, occurred_at);
CREATE INDEX audit_entries_by_target ON audit_entries (tenant_id, target_kind, target_id, occurred_at);
CREATE INDEX audit_entries_by_request ON audit_entries (tenant_id, request_id);
