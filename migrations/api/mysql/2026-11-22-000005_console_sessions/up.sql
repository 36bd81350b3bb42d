CREATE TABLE console_sessions (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    secret_hash CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    issuer TEXT NOT NULL,
    subject VARCHAR(254) COLLATE utf8mb4_bin NOT NULL,
    csrf_token CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tokens TEXT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    last_used_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT console_sessions_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT console_sessions_secret_hash UNIQUE (secret_hash),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    KEY console_sessions_by_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
