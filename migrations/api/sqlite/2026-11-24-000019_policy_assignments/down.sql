DROP TABLE policy_assignments;
