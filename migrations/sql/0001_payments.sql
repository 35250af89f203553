CREATE TABLE checkouts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_checkouts PRIMARY KEY,
    subject text NOT NULL,
    attempt integer NOT NULL CONSTRAINT ck_checkouts_attempt CHECK (attempt > 0),
    idempotency_key text NOT NULL CONSTRAINT uq_checkouts_key UNIQUE,
    params jsonb NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT ck_checkouts_amount CHECK (amount_minor > 0),
    currency text NOT NULL CONSTRAINT ck_checkouts_currency CHECK (currency ~ '^[A-Z]{3}$'),
    livemode boolean NOT NULL,
    state text NOT NULL CONSTRAINT ck_checkouts_state
        CHECK (state IN ('created', 'open', 'paid', 'expired', 'refused')),
    session_reference text CONSTRAINT uq_checkouts_session UNIQUE,
    url text,
    intent_reference text CONSTRAINT uq_checkouts_intent UNIQUE,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT uq_checkouts_subject_attempt UNIQUE (subject, attempt),
    CONSTRAINT ck_checkouts_open CHECK (state <> 'open' OR session_reference IS NOT NULL)
);
CREATE INDEX ix_checkouts_unsettled ON checkouts (expires_at) WHERE state IN ('created', 'open');

CREATE TABLE stripe_events (
    id text CONSTRAINT pk_stripe_events PRIMARY KEY,
    type text NOT NULL,
    created_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    api_version text,
    livemode boolean NOT NULL,
    object_reference text,
    body text NOT NULL,
    state text NOT NULL CONSTRAINT ck_stripe_events_state
        CHECK (state IN ('waiting', 'done', 'ignored', 'parked')),
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    handled_at timestamptz,
    CONSTRAINT ck_stripe_events_parked CHECK (state <> 'parked' OR reason IS NOT NULL),
    CONSTRAINT ck_stripe_events_done CHECK (state <> 'done' OR handled_at IS NOT NULL)
);
CREATE INDEX ix_stripe_events_unfinished ON stripe_events (received_at)
    WHERE state IN ('waiting', 'parked');

CREATE TABLE stripe_payments (
    intent_reference text CONSTRAINT pk_stripe_payments PRIMARY KEY,
    checkout_id bigint NOT NULL CONSTRAINT uq_stripe_payments_checkout UNIQUE
        CONSTRAINT fk_stripe_payments_checkout REFERENCES checkouts (id),
    charge_reference text CONSTRAINT uq_stripe_payments_charge UNIQUE,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT ck_stripe_payments_amount CHECK (amount_minor > 0),
    fee_minor bigint CONSTRAINT ck_stripe_payments_fee CHECK (fee_minor >= 0),
    refunded_minor bigint NOT NULL DEFAULT 0,
    disputed_minor bigint NOT NULL DEFAULT 0,
    dispute_fee_minor bigint NOT NULL DEFAULT 0,
    dispute_state text,
    seen_at timestamptz NOT NULL,
    CONSTRAINT ck_stripe_payments_refunded
        CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor)
);
CREATE INDEX ix_stripe_payments_feeless ON stripe_payments (seen_at) WHERE fee_minor IS NULL;

CREATE TABLE reconciliations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_reconciliations PRIMARY KEY,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    events_seen bigint NOT NULL DEFAULT 0,
    events_missed bigint NOT NULL DEFAULT 0,
    checkouts_settled bigint NOT NULL DEFAULT 0,
    movements_seen bigint NOT NULL DEFAULT 0,
    differences jsonb NOT NULL DEFAULT '[]'
);
