CREATE TABLE audit_batches (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    first_position BIGINT NOT NULL,
    size BIGINT NOT NULL,
    root CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    previous CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL,
    hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    signature TEXT NOT NULL,
    sealed_at DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id, number),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
