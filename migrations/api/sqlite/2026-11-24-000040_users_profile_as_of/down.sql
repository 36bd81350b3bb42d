ALTER TABLE users DROP COLUMN profile_as_of;
