ALTER TABLE account_doubts ADD COLUMN owner TEXT;
