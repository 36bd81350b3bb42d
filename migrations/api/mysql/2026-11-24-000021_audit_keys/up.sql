CREATE TABLE audit_keys (
    kid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    public_jwk TEXT NOT NULL,
    private_key TEXT NULL,
    voucher CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    retired_at DATETIME(6) NULL,
    PRIMARY KEY (kid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
