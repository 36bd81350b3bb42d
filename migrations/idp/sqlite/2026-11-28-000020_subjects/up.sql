-- Whoever can be signed in at a tenant: those who live there, and those who are members of it. The row of a member is one
-- of a membership, and goes with it.
CREATE TABLE subjects (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    home_tenant_id TEXT NOT NULL,
    guest_tenant_id TEXT,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT subjects_are_at_home_or_guests CHECK (
        (tenant_id = home_tenant_id AND guest_tenant_id IS NULL)
        OR (tenant_id <> home_tenant_id AND guest_tenant_id IS NOT NULL AND guest_tenant_id = tenant_id)
    ),
    FOREIGN KEY (home_tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (guest_tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);

CREATE INDEX subjects_by_home ON subjects (home_tenant_id, user_id);

CREATE INDEX subjects_by_guest ON subjects (guest_tenant_id, user_id);

INSERT INTO subjects (tenant_id, user_id, home_tenant_id, guest_tenant_id)
SELECT tenant_id, id, tenant_id, NULL FROM users
UNION ALL
SELECT tenant_id, user_id, home_tenant_id, tenant_id FROM memberships;
