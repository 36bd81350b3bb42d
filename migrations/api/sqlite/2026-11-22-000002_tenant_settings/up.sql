CREATE TABLE tenant_settings (
    tenant_id TEXT NOT NULL,
    branding TEXT NOT NULL,
    security TEXT NOT NULL,
    feature_flags TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
