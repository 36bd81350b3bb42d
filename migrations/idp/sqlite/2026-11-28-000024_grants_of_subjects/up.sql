CREATE TABLE new_grants (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT,
    scope TEXT NOT NULL,
    context TEXT NOT NULL,
    generation BIGINT NOT NULL,
    refresh_hash TEXT,
    rotated_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    revoked_because TEXT,
    PRIMARY KEY (id),
    CONSTRAINT grants_tenant_id_id UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES subjects (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, id) ON DELETE CASCADE
);

INSERT INTO new_grants SELECT * FROM grants;

DROP TABLE grants;

ALTER TABLE new_grants RENAME TO grants;

CREATE INDEX grants_by_session ON grants (tenant_id, session_id);

CREATE INDEX grants_by_expiry ON grants (expires_at);

CREATE INDEX grants_by_user ON grants (tenant_id, user_id);
