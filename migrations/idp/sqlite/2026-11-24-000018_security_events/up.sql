CREATE TABLE security_events (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    request_id TEXT,
    created_at TIMESTAMP NOT NULL,
    attempts BIGINT NOT NULL,
    available_at TIMESTAMP NOT NULL,
    delivered_at TIMESTAMP,
    failed_at TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT security_events_tenant_id_id UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

CREATE INDEX security_events_by_state ON security_events (delivered_at, failed_at, tenant_id, id);

CREATE INDEX security_events_by_time ON security_events (created_at);
