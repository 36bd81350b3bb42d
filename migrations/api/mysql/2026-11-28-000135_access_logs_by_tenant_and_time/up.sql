-- Every decision is written: as few indexes as its searches need.
ALTER TABLE access_logs
    DROP PRIMARY KEY,
    DROP KEY access_logs_tenant_id_id,
    DROP KEY access_logs_by_time,
    DROP KEY access_logs_by_age,
    ADD PRIMARY KEY (tenant_id, created_at, id);
