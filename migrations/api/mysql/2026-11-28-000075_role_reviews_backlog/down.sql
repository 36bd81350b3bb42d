DELETE FROM role_reviews;
