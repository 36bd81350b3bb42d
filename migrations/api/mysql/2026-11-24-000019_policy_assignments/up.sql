CREATE TABLE policy_assignments (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    policy_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    assignee_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    assignee_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT policy_assignments_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT policy_assignments_unique UNIQUE (tenant_id, policy_id, assignee_type, assignee_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    FOREIGN KEY (tenant_id, policy_id) REFERENCES policies (tenant_id, id) ON DELETE CASCADE,
    KEY policy_assignments_by_assignee (tenant_id, assignee_type, assignee_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
