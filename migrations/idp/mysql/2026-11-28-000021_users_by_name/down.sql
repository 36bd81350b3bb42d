ALTER TABLE users DROP INDEX users_by_email, DROP INDEX users_by_username;
