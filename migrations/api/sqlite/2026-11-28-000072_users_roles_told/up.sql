ALTER TABLE users ADD COLUMN roles_told TEXT;
