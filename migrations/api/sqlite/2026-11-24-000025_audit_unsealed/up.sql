CREATE TABLE audit_unsealed (
    tenant_id TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, entry_id),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES audit_entries (tenant_id, id)
) WITHOUT ROWID;
