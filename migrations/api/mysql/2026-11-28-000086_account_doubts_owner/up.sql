ALTER TABLE account_doubts ADD COLUMN owner CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL;
