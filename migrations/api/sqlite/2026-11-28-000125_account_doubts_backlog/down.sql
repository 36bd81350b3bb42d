DELETE FROM account_doubts WHERE owner IS NULL AND may_end = FALSE AND attempts = 0 AND available_at = created_at;
