CREATE TABLE outbox (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    available_at TIMESTAMP NOT NULL,
    attempts BIGINT NOT NULL,
    delivered_at TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT outbox_tenant_id_id UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX outbox_by_due ON outbox (delivered_at, available_at);
