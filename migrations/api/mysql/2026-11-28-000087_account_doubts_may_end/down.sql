ALTER TABLE account_doubts DROP COLUMN may_end;
