CREATE TABLE idempotency_keys (
    tenant_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer TEXT,
    created_at TIMESTAMP NOT NULL,
    held_until TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, key_hash),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
