CREATE TABLE password_credentials (
    user_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id),
    CONSTRAINT password_credentials_tenant_id_user_id UNIQUE (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
