CREATE TABLE signing_keys (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    algorithm VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    public_jwk TEXT NOT NULL,
    private_key TEXT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    signs_from DATETIME(6) NOT NULL,
    published_until DATETIME(6) NULL,
    PRIMARY KEY (id),
    CONSTRAINT signing_keys_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT signing_keys_tenant_id_kid UNIQUE (tenant_id, kid),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
