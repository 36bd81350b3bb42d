CREATE TABLE policy_assignments (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    assignee_type TEXT NOT NULL,
    assignee_id TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT policy_assignments_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT policy_assignments_unique UNIQUE (tenant_id, policy_id, assignee_type, assignee_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    FOREIGN KEY (tenant_id, policy_id) REFERENCES policies (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX policy_assignments_by_assignee ON policy_assignments (tenant_id, assignee_type, assignee_id);
