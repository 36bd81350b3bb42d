CREATE TABLE tenant_modules (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    module_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    config MEDIUMTEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id, module_name),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
