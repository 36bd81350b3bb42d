ALTER TABLE sessions ADD CONSTRAINT sessions_subject
    FOREIGN KEY (tenant_id, user_id) REFERENCES subjects (tenant_id, user_id) ON DELETE CASCADE;
