DROP INDEX security_events_by_due ON security_events;
