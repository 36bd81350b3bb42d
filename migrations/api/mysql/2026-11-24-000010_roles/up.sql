CREATE TABLE roles (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(100) COLLATE utf8mb4_bin NOT NULL,
    description VARCHAR(500) COLLATE utf8mb4_bin NULL,
    role_family VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    is_system BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT roles_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT roles_tenant_id_name UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
