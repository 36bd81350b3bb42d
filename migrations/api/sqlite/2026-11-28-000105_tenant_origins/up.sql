CREATE TABLE tenant_origins (
    tenant_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (tenant_id, origin),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
