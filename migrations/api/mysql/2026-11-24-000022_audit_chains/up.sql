CREATE TABLE audit_chains (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    batches BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    head CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL,
    pruned_batches BIGINT NOT NULL,
    pruned_entries BIGINT NOT NULL,
    pruning TEXT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
