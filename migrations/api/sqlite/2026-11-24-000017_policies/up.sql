CREATE TABLE policies (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    target_json TEXT NOT NULL,
    rules_json TEXT NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    priority BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT policies_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT policies_tenant_id_name UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
