CREATE TABLE used_assertions (
    assertion_hash TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, assertion_hash),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

CREATE INDEX used_assertions_by_expiry ON used_assertions (expires_at);
