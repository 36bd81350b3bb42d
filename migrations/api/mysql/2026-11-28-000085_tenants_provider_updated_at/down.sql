ALTER TABLE tenants DROP COLUMN provider_updated_at;
