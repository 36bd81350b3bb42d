-- Every decision is written: as few indexes as its searches need, each in the order of a list.
CREATE TABLE access_logs_new (
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id TEXT,
    action TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    policy_id TEXT,
    policy_name TEXT,
    policy_version BIGINT,
    context TEXT NOT NULL,
    request_id TEXT,
    address TEXT,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, created_at, id)
);

INSERT INTO access_logs_new (
    id, tenant_id, subject_kind, subject_id, client_id, resource,
    resource_id, action, decision, reason, policy_id, policy_name,
    policy_version, context, request_id, address, created_at
)
SELECT
    id, tenant_id, subject_kind, subject_id, client_id, resource,
    resource_id, action, decision, reason, policy_id, policy_name,
    policy_version, context, request_id, address, created_at
FROM access_logs
ORDER BY created_at;

DROP TABLE access_logs;

ALTER TABLE access_logs_new RENAME TO access_logs;

CREATE INDEX access_logs_by_subject ON access_logs (tenant_id, subject_id, created_at, id);
CREATE INDEX access_logs_by_resource ON access_logs (tenant_id, resource, action, created_at, id);
CREATE INDEX access_logs_by_thing ON access_logs (tenant_id, resource_id, created_at, id) WHERE resource_id IS NOT NULL;
CREATE INDEX access_logs_by_policy ON access_logs (tenant_id, policy_id, created_at, id) WHERE policy_id IS NOT NULL;
