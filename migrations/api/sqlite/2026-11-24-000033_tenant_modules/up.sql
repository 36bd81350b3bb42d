CREATE TABLE tenant_modules (
    tenant_id TEXT NOT NULL,
    module_name TEXT NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    config TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, module_name),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
