DELETE FROM grants
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.tenant_id = grants.tenant_id AND users.id = grants.user_id);

ALTER TABLE grants ADD CONSTRAINT grants_ibfk_1
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE;
