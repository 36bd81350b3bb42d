CREATE TABLE new_sessions (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    authenticated_at TIMESTAMP NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT sessions_tenant_id_id UNIQUE (tenant_id, id),
    CONSTRAINT sessions_secret_hash UNIQUE (secret_hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES subjects (tenant_id, user_id) ON DELETE CASCADE
);

INSERT INTO new_sessions SELECT * FROM sessions;

DROP TABLE sessions;

ALTER TABLE new_sessions RENAME TO sessions;

CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE INDEX sessions_by_user ON sessions (tenant_id, user_id);

CREATE INDEX sessions_by_time ON sessions (tenant_id, created_at, id);
