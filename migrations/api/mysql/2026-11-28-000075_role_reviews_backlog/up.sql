INSERT INTO role_reviews (tenant_id, after_user, available_at, created_at)
    SELECT id, NULL, updated_at, updated_at FROM tenants;
