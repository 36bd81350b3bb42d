CREATE TABLE received_events (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    jti VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    standing VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    received_at DATETIME(6) NOT NULL,
    PRIMARY KEY (tenant_id, jti),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    KEY received_events_by_subject (tenant_id, subject, jti),
    KEY received_events_by_time (received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
