CREATE TABLE import_leases (
    tenant_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    leased_until TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
