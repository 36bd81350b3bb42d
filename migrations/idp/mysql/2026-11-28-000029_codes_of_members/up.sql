ALTER TABLE authorization_codes DROP FOREIGN KEY authorization_codes_ibfk_1;
