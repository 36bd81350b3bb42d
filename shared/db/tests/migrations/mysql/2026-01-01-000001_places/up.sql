CREATE TABLE places (
    tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(100) NOT NULL,
    kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    open BOOLEAN NOT NULL,
    visits BIGINT NOT NULL DEFAULT 0,
    note TEXT,
    settings MEDIUMTEXT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    closed_at DATETIME(6),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT places_tenant_id_name UNIQUE (tenant_id, name),
    CONSTRAINT places_visits CHECK (visits >= 0)
);
