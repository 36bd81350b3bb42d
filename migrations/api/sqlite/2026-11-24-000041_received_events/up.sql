CREATE TABLE received_events (
    tenant_id TEXT NOT NULL,
    jti TEXT NOT NULL,
    subject TEXT NOT NULL,
    standing TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, jti),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX received_events_by_subject ON received_events (tenant_id, subject, jti);

CREATE INDEX received_events_by_time ON received_events (received_at);
