CREATE TABLE tenant_tasks (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    generation BIGINT NOT NULL,
    payload TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    available_at TIMESTAMP NOT NULL,
    leased_until TIMESTAMP NOT NULL,
    last_error TEXT,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, kind, subject),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX tenant_tasks_by_due ON tenant_tasks (available_at);
