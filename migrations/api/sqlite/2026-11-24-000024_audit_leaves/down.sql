DROP TABLE audit_leaves;
