CREATE TABLE audit_leaves (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    position BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    entry_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    leaf_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (tenant_id, position),
    CONSTRAINT audit_leaves_tenant_id_entry_id UNIQUE (tenant_id, entry_id),
    FOREIGN KEY (tenant_id, batch) REFERENCES audit_batches (tenant_id, number),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES audit_entries (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
