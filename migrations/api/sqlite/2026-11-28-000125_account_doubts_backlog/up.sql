INSERT INTO account_doubts (tenant_id, user_id, attempts, available_at, created_at, owner, may_end)
    SELECT u.tenant_id, u.id, 0, u.updated_at, u.updated_at, NULL, FALSE FROM users u
    WHERE u.roles_managed = FALSE AND NOT EXISTS (
        SELECT 1 FROM account_doubts d WHERE d.tenant_id = u.tenant_id AND d.user_id = u.id
    );
