INSERT INTO audit_unsealed (tenant_id, entry_id) SELECT tenant_id, id FROM audit_entries;
