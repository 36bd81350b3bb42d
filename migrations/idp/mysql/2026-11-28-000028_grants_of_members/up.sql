ALTER TABLE grants DROP FOREIGN KEY grants_ibfk_1;
