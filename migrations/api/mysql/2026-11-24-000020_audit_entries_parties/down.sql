ALTER TABLE audit_entries
    DROP KEY audit_entries_by_request,
    DROP KEY audit_entries_by_target,
    DROP KEY audit_entries_by_actor,
    DROP COLUMN acting_party_id,
    DROP COLUMN acting_party_kind,
    DROP COLUMN actor_tenant_id;
