ALTER TABLE idempotency_keys ADD COLUMN found TEXT;
