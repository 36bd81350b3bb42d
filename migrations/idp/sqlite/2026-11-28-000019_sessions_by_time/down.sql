DROP INDEX sessions_by_time;
