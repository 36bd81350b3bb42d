ALTER TABLE user_roles ADD COLUMN expiry_told BOOLEAN NOT NULL DEFAULT FALSE;

CREATE INDEX user_roles_by_expiry ON user_roles (expiry_told, expires_at);
