ALTER TABLE tenant_settings ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
