CREATE INDEX bookings_tenant_id_starts_at ON bookings (tenant_id, starts_at);
