ALTER TABLE authorization_codes ADD CONSTRAINT authorization_codes_subject
    FOREIGN KEY (tenant_id, user_id) REFERENCES subjects (tenant_id, user_id) ON DELETE CASCADE;
