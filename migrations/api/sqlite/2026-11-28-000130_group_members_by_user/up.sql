DROP INDEX group_members_by_user;

CREATE INDEX group_members_by_user ON group_members (tenant_id, user_id, group_id);
