ALTER TABLE user_roles
    DROP KEY user_roles_by_expiry,
    DROP COLUMN expiry_told;
