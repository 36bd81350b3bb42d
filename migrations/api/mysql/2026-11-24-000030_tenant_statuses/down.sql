ALTER TABLE tenants DROP KEY tenants_by_time, DROP COLUMN version, DROP COLUMN wanted_status, DROP COLUMN status;
