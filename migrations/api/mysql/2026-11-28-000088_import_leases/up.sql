CREATE TABLE import_leases (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    leased_until DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
