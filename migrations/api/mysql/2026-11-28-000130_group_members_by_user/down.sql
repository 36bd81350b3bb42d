ALTER TABLE group_members DROP KEY group_members_by_user, ADD KEY group_members_by_user (tenant_id, user_id);
