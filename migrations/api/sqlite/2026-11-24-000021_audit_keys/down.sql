DROP TABLE audit_keys;
