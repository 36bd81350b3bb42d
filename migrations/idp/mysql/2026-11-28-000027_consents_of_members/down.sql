DELETE FROM consents
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.tenant_id = consents.tenant_id AND users.id = consents.user_id);

ALTER TABLE consents ADD CONSTRAINT consents_ibfk_1
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE;
