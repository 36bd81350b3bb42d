CREATE TABLE places (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    open BOOLEAN NOT NULL,
    visits BIGINT NOT NULL DEFAULT 0,
    note TEXT,
    settings TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT places_tenant_id_name UNIQUE (tenant_id, name),
    CONSTRAINT places_visits CHECK (visits >= 0)
);
