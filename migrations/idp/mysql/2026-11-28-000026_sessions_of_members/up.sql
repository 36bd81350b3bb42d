ALTER TABLE sessions DROP FOREIGN KEY sessions_ibfk_1;
