DROP INDEX grants_by_user;

DROP INDEX sessions_by_user;

ALTER TABLE users DROP COLUMN roles_version;
