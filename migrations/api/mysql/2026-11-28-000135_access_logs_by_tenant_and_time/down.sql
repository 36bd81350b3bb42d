ALTER TABLE access_logs
    DROP PRIMARY KEY,
    DROP KEY access_logs_by_subject,
    DROP KEY access_logs_by_resource,
    DROP KEY access_logs_by_thing,
    DROP KEY access_logs_by_policy,
    ADD PRIMARY KEY (id),
    ADD CONSTRAINT access_logs_tenant_id_id UNIQUE (tenant_id, id),
    ADD KEY access_logs_by_time (tenant_id, created_at),
    ADD KEY access_logs_by_subject (tenant_id, subject_id, created_at),
    ADD KEY access_logs_by_resource (tenant_id, resource, action, created_at),
    ADD KEY access_logs_by_policy (tenant_id, policy_id, created_at),
    ADD KEY access_logs_by_age (created_at);
