ALTER TABLE policies
    DROP COLUMN effect,
    DROP COLUMN target_action,
    DROP COLUMN target_resource;
