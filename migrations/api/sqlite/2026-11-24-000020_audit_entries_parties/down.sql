DROP INDEX audit_entries_by_request;
DROP INDEX audit_entries_by_target;
DROP INDEX audit_entries_by_actor;

ALTER TABLE audit_entries DROP COLUMN acting_party_id;
ALTER TABLE audit_entries DROP COLUMN acting_party_kind;
ALTER TABLE audit_entries DROP COLUMN actor_tenant_id;
