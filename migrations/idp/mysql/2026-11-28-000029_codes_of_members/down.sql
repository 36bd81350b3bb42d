DELETE FROM authorization_codes
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.tenant_id = authorization_codes.tenant_id AND users.id = authorization_codes.user_id);

ALTER TABLE authorization_codes ADD CONSTRAINT authorization_codes_ibfk_1
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE;
