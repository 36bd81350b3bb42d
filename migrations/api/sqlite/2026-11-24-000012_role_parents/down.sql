DROP TABLE role_parents;
