DROP INDEX tenants_by_time;

ALTER TABLE tenants DROP COLUMN version;

ALTER TABLE tenants DROP COLUMN wanted_status;

ALTER TABLE tenants DROP COLUMN status;
