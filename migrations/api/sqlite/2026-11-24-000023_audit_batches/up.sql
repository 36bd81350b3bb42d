CREATE TABLE audit_batches (
    tenant_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    first_position BIGINT NOT NULL,
    size BIGINT NOT NULL,
    root TEXT NOT NULL,
    previous TEXT,
    hash TEXT NOT NULL,
    signature TEXT NOT NULL,
    sealed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, number),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
