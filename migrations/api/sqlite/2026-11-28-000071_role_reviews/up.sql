CREATE TABLE role_reviews (
    tenant_id TEXT NOT NULL,
    after_user TEXT,
    available_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

CREATE INDEX role_reviews_by_due ON role_reviews (available_at);
