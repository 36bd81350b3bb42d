-- Every decision is written: as few indexes as its searches need, each in the order of a list.
ALTER TABLE access_logs
    DROP PRIMARY KEY,
    DROP KEY access_logs_tenant_id_id,
    DROP KEY access_logs_by_time,
    DROP KEY access_logs_by_subject,
    DROP KEY access_logs_by_resource,
    DROP KEY access_logs_by_policy,
    DROP KEY access_logs_by_age,
    ADD PRIMARY KEY (tenant_id, created_at, id),
    ADD KEY access_logs_by_subject (tenant_id, subject_id, created_at, id),
    ADD KEY access_logs_by_resource (tenant_id, resource, action, created_at, id),
    ADD KEY access_logs_by_thing (tenant_id, resource_id, created_at, id),
    ADD KEY access_logs_by_policy (tenant_id, policy_id, created_at, id);
