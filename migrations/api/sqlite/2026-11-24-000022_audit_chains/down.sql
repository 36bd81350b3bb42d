DROP TABLE audit_chains;
