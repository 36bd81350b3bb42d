ALTER TABLE consents DROP FOREIGN KEY consents_subject;
