ALTER TABLE user_roles
    ADD COLUMN expiry_told BOOLEAN NOT NULL DEFAULT FALSE,
    ADD KEY user_roles_by_expiry (expiry_told, expires_at);
