ALTER TABLE consents DROP FOREIGN KEY consents_ibfk_1;
