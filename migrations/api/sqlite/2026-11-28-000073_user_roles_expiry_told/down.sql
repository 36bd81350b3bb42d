DROP INDEX user_roles_by_expiry;

ALTER TABLE user_roles DROP COLUMN expiry_told;
