DROP TABLE role_reviews;
