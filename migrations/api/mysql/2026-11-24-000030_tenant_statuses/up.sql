ALTER TABLE tenants
    ADD COLUMN status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'active',
    ADD COLUMN wanted_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN version BIGINT NOT NULL DEFAULT 1,
    ADD KEY tenants_by_time (created_at, id);
