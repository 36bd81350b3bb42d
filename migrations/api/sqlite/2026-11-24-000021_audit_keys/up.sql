CREATE TABLE audit_keys (
    kid TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    private_key TEXT,
    voucher TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP,
    PRIMARY KEY (kid)
);
