DROP TABLE group_roles;
