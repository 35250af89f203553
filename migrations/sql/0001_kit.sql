CREATE UNLOGGED TABLE rate_limits (
    key text CONSTRAINT pk_rate_limits PRIMARY KEY,
    hits bigint NOT NULL,
    expires_at bigint NOT NULL
);
