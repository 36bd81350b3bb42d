CREATE TABLE console_sessions (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    csrf_token TEXT NOT NULL,
    tokens TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT console_sessions_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT console_sessions_secret_hash UNIQUE (secret_hash),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX console_sessions_by_expiry ON console_sessions (expires_at);
