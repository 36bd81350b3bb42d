DROP TABLE membership_roles;
