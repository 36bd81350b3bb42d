CREATE TABLE new_authorization_codes (
    code_hash TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    nonce TEXT,
    extensions TEXT NOT NULL,
    context TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    grant_id TEXT,
    PRIMARY KEY (code_hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, id) ON DELETE CASCADE
);

INSERT INTO new_authorization_codes SELECT * FROM authorization_codes
WHERE EXISTS (SELECT 1 FROM users WHERE users.tenant_id = authorization_codes.tenant_id AND users.id = authorization_codes.user_id);

DROP TABLE authorization_codes;

ALTER TABLE new_authorization_codes RENAME TO authorization_codes;

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);
