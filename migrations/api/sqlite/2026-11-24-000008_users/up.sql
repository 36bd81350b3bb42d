CREATE TABLE users (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    home_tenant_id TEXT,
    username TEXT,
    email TEXT,
    email_normalized TEXT,
    email_verified BOOLEAN NOT NULL,
    phone TEXT,
    given_name TEXT,
    family_name TEXT,
    display_name TEXT,
    avatar_url TEXT,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    roles_managed BOOLEAN NOT NULL,
    roles_version BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE INDEX users_by_email ON users (tenant_id, email_normalized);

CREATE INDEX users_by_time ON users (tenant_id, created_at, id);
