ALTER TABLE tenants ADD COLUMN provider_updated_at TIMESTAMP;
