DROP INDEX bookings_tenant_id_starts_at ON bookings;
