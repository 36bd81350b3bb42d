ALTER TABLE users ADD INDEX users_by_username (username_normalized), ADD INDEX users_by_email (email_normalized);
