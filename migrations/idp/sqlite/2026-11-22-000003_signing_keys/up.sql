CREATE TABLE signing_keys (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    private_key TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    signs_from TIMESTAMP NOT NULL,
    published_until TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT signing_keys_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT signing_keys_tenant_id_kid UNIQUE (tenant_id, kid),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
