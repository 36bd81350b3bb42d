ALTER TABLE account_doubts DROP COLUMN owner;
