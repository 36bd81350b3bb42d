CREATE TABLE idempotency_keys (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    key_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    answer MEDIUMTEXT NULL,
    created_at DATETIME(6) NOT NULL,
    held_until DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id, key_hash),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    KEY idempotency_keys_by_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
