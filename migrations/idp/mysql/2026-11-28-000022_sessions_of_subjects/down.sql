ALTER TABLE sessions DROP FOREIGN KEY sessions_subject;
