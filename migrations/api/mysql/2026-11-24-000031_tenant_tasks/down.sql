DROP TABLE tenant_tasks;
