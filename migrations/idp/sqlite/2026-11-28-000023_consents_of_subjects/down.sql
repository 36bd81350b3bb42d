CREATE TABLE new_consents (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    granted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, user_id, client_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, id) ON DELETE CASCADE
);

INSERT INTO new_consents SELECT * FROM consents
WHERE EXISTS (SELECT 1 FROM users WHERE users.tenant_id = consents.tenant_id AND users.id = consents.user_id);

DROP TABLE consents;

ALTER TABLE new_consents RENAME TO consents;
