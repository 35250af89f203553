CREATE TABLE donors (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_donors PRIMARY KEY,
    email text NOT NULL CONSTRAINT uq_donors_email UNIQUE
        CONSTRAINT ck_donors_email CHECK (email = lower(email)),
    first_name text NOT NULL,
    last_name text NOT NULL,
    locale text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE gifts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_gifts PRIMARY KEY,
    public_id text NOT NULL CONSTRAINT uq_gifts_public_id UNIQUE,
    form_key text NOT NULL,
    form_content text NOT NULL,
    campaign_id bigint NOT NULL CONSTRAINT fk_gifts_campaign REFERENCES campaigns (id),
    story_id bigint CONSTRAINT fk_gifts_story REFERENCES stories (id) ON DELETE SET NULL,
    donor_id bigint CONSTRAINT fk_gifts_donor REFERENCES donors (id),
    frequency text NOT NULL CONSTRAINT ck_gifts_frequency CHECK (frequency IN ('once')),
    state text NOT NULL CONSTRAINT ck_gifts_state CHECK (state IN
        ('pending', 'received', 'expired', 'cancelled', 'refunded', 'disputed')),
    intended_minor bigint NOT NULL CONSTRAINT ck_gifts_intended CHECK (intended_minor > 0),
    fee_cover_minor bigint NOT NULL CONSTRAINT ck_gifts_cover CHECK (fee_cover_minor >= 0),
    amount_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL DEFAULT 0,
    currency text NOT NULL CONSTRAINT ck_gifts_currency CHECK (currency ~ '^[A-Z]{3}$'),
    match_offer_id bigint CONSTRAINT fk_gifts_offer REFERENCES match_offers (id),
    match_wished_minor bigint NOT NULL DEFAULT 0,
    match_promised_minor bigint NOT NULL DEFAULT 0,
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    message text NOT NULL DEFAULT '',
    is_anonymous boolean NOT NULL,
    locale text NOT NULL,
    sender text NOT NULL,
    hold_until timestamptz NOT NULL,
    checked_at timestamptz,
    created_at timestamptz NOT NULL,
    received_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT ck_gifts_amount CHECK (amount_minor = intended_minor + fee_cover_minor),
    CONSTRAINT ck_gifts_refunded CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT ck_gifts_received CHECK (
        state NOT IN ('received', 'refunded', 'disputed') OR received_at IS NOT NULL),
    CONSTRAINT ck_gifts_promised CHECK (match_promised_minor BETWEEN 0 AND match_wished_minor)
);
CREATE UNIQUE INDEX uq_gifts_form ON gifts (form_key, form_content)
    WHERE state IN ('pending', 'received');
CREATE INDEX ix_gifts_form_key ON gifts (form_key) WHERE state = 'pending';
CREATE INDEX ix_gifts_holds ON gifts (hold_until) WHERE state = 'pending';
CREATE INDEX ix_gifts_latest ON gifts (campaign_id, received_at DESC) WHERE state = 'received';

CREATE TABLE gift_tallies (
    campaign_id bigint NOT NULL CONSTRAINT fk_gift_tallies_campaign REFERENCES campaigns (id),
    slot integer NOT NULL,
    currency text NOT NULL,
    raised_minor bigint NOT NULL DEFAULT 0,
    gifts bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_gift_tallies PRIMARY KEY (campaign_id, slot, currency)
) WITH (fillfactor = 50);
