CREATE TABLE tenant_domains (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    is_primary BOOLEAN NOT NULL,
    verified_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT tenant_domains_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT tenant_domains_domain UNIQUE (domain),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
