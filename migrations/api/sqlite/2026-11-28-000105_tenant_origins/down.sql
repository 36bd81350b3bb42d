DROP TABLE tenant_origins;
