ALTER TABLE policies
    ADD COLUMN target_resource VARCHAR(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '*',
    ADD COLUMN target_action VARCHAR(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '*',
    ADD COLUMN effect VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'deny';
