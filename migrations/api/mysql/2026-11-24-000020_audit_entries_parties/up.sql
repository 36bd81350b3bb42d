ALTER TABLE audit_entries
    ADD COLUMN actor_tenant_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN acting_party_kind VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN acting_party_id VARCHAR(254) COLLATE utf8mb4_bin NULL,
    ADD KEY audit_entries_by_actor (tenant_id, actor_id, occurred_at),
    ADD KEY audit_entries_by_target (tenant_id, target_kind, target_id, occurred_at),
    ADD KEY audit_entries_by_request (tenant_id, request_id);
