CREATE TABLE audit_entries (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT,
    request_id TEXT,
    PRIMARY KEY (id),
    CONSTRAINT audit_entries_tenant_id_id UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

CREATE INDEX audit_entries_by_time ON audit_entries (tenant_id, occurred_at);
