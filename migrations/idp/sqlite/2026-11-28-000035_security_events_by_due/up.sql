CREATE INDEX security_events_by_due ON security_events (delivered_at, failed_at, available_at);
