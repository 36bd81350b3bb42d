DELETE FROM sessions
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.tenant_id = sessions.tenant_id AND users.id = sessions.user_id);

ALTER TABLE sessions ADD CONSTRAINT sessions_ibfk_1
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE;
