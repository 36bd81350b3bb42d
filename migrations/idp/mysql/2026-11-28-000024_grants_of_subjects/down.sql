ALTER TABLE grants DROP FOREIGN KEY grants_subject;
