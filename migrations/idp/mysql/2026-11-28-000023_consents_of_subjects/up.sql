ALTER TABLE consents ADD CONSTRAINT consents_subject
    FOREIGN KEY (tenant_id, user_id) REFERENCES subjects (tenant_id, user_id) ON DELETE CASCADE;
