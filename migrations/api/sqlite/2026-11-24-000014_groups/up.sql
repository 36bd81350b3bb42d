CREATE TABLE user_groups (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    description TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT user_groups_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT user_groups_tenant_id_name UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES user_groups (tenant_id, id)
);
