CREATE INDEX users_by_username ON users (username_normalized);

CREATE INDEX users_by_email ON users (email_normalized);
