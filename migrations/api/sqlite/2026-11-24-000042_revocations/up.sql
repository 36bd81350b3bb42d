CREATE TABLE revocations (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    not_before TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, kind, target),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX revocations_by_expiry ON revocations (expires_at);
