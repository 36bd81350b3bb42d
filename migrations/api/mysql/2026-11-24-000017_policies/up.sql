CREATE TABLE policies (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(200) COLLATE utf8mb4_bin NOT NULL,
    description VARCHAR(2000) COLLATE utf8mb4_bin NULL,
    target_json MEDIUMTEXT NOT NULL,
    rules_json MEDIUMTEXT NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    priority BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT policies_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT policies_tenant_id_name UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
