CREATE TABLE tenant_domains (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    verified_domain TEXT,
    is_primary BOOLEAN NOT NULL,
    verification_token TEXT NOT NULL,
    method TEXT,
    verified_at TIMESTAMP,
    checked_at TIMESTAMP,
    failures BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT tenant_domains_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT tenant_domains_tenant_id_domain UNIQUE (tenant_id, domain),
    CONSTRAINT tenant_domains_verified_domain UNIQUE (verified_domain),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX tenant_domains_by_check ON tenant_domains (checked_at);
