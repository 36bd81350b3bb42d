CREATE TABLE audit_chains (
    tenant_id TEXT NOT NULL,
    batches BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    head TEXT,
    pruned_batches BIGINT NOT NULL,
    pruned_entries BIGINT NOT NULL,
    pruning TEXT,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
