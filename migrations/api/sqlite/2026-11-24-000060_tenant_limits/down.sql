ALTER TABLE tenant_settings DROP COLUMN limits;
