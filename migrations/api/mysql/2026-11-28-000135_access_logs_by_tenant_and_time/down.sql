ALTER TABLE access_logs
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (id),
    ADD CONSTRAINT access_logs_tenant_id_id UNIQUE (tenant_id, id),
    ADD KEY access_logs_by_time (tenant_id, created_at),
    ADD KEY access_logs_by_age (created_at);
