CREATE TABLE tenant_tasks (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation BIGINT NOT NULL,
    payload MEDIUMTEXT NOT NULL,
    attempts BIGINT NOT NULL,
    available_at DATETIME(6) NOT NULL,
    leased_until DATETIME(6) NOT NULL,
    last_error TEXT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id, kind, subject),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    KEY tenant_tasks_by_due (available_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
