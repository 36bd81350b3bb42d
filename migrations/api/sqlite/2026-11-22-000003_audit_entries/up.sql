CREATE TABLE audit_entries (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    acting_client TEXT,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    changes TEXT NOT NULL,
    address TEXT,
    request_id TEXT,
    PRIMARY KEY (id),
    CONSTRAINT audit_entries_tenant_id_id UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX audit_entries_by_time ON audit_entries (tenant_id, occurred_at);
