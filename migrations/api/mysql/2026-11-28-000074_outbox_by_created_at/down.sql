DROP INDEX outbox_by_created_at ON outbox;
