ALTER TABLE tenants ADD COLUMN provider_updated_at DATETIME(6) NULL;
