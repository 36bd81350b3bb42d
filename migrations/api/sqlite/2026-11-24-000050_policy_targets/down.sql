ALTER TABLE policies DROP COLUMN effect;
ALTER TABLE policies DROP COLUMN target_action;
ALTER TABLE policies DROP COLUMN target_resource;
