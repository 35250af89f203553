CREATE TABLE match_offers (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_match_offers PRIMARY KEY,
    campaign_id bigint NOT NULL
        CONSTRAINT fk_match_offers_campaign REFERENCES campaigns (id),
    sponsor_names jsonb NOT NULL,
    agreement_reference text NOT NULL
        CONSTRAINT ck_match_offers_agreement CHECK (agreement_reference <> ''),
    is_contingent boolean NOT NULL
        CONSTRAINT ck_match_offers_contingent CHECK (is_contingent),
    terms jsonb NOT NULL,
    ratio_num integer NOT NULL CONSTRAINT ck_match_offers_num CHECK (ratio_num > 0),
    ratio_den integer NOT NULL CONSTRAINT ck_match_offers_den CHECK (ratio_den > 0),
    currency text NOT NULL CONSTRAINT ck_match_offers_currency CHECK (currency ~ '^[A-Z]{3}$'),
    cap_minor bigint NOT NULL CONSTRAINT ck_match_offers_cap CHECK (cap_minor > 0),
    per_gift_cap_minor bigint CONSTRAINT ck_match_offers_per_gift CHECK (per_gift_cap_minor > 0),
    per_donor_cap_minor bigint CONSTRAINT ck_match_offers_per_donor CHECK (per_donor_cap_minor > 0),
    state text NOT NULL CONSTRAINT ck_match_offers_state
        CHECK (state IN ('active', 'paused', 'ended')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ck_match_offers_window CHECK (ends_at > starts_at)
);
CREATE UNIQUE INDEX uq_match_offers_live ON match_offers (campaign_id) WHERE state <> 'ended';

CREATE TABLE match_pools (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_match_pools PRIMARY KEY,
    offer_id bigint NOT NULL CONSTRAINT fk_match_pools_offer REFERENCES match_offers (id),
    slot integer NOT NULL,
    cap_minor bigint NOT NULL,
    reserved_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT ck_match_pools_reserved CHECK (reserved_minor >= 0),
    confirmed_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT ck_match_pools_confirmed CHECK (confirmed_minor >= 0),
    last_grant_minor bigint NOT NULL DEFAULT 0,
    CONSTRAINT uq_match_pools_slot UNIQUE (offer_id, slot),
    CONSTRAINT ck_match_pools_cap CHECK (reserved_minor + confirmed_minor <= cap_minor)
) WITH (fillfactor = 50);

CREATE TABLE match_allocations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_match_allocations PRIMARY KEY,
    gift_id bigint NOT NULL,
    offer_id bigint NOT NULL CONSTRAINT fk_match_allocations_offer REFERENCES match_offers (id),
    pool_id bigint NOT NULL CONSTRAINT fk_match_allocations_pool REFERENCES match_pools (id),
    amount_minor bigint NOT NULL
        CONSTRAINT ck_match_allocations_amount CHECK (amount_minor > 0),
    state text NOT NULL CONSTRAINT ck_match_allocations_state
        CHECK (state IN ('reserved', 'confirmed', 'released')),
    reason text,
    sender text NOT NULL,
    donor text NOT NULL,
    created_at timestamptz NOT NULL,
    moved_at timestamptz
);
CREATE UNIQUE INDEX uq_match_allocations_live ON match_allocations (gift_id, pool_id)
    WHERE state <> 'released';
CREATE INDEX ix_match_allocations_pool ON match_allocations (pool_id, state);
CREATE INDEX ix_match_allocations_sender ON match_allocations (offer_id, sender)
    WHERE state = 'reserved';
CREATE INDEX ix_match_allocations_donor ON match_allocations (offer_id, donor)
    WHERE state <> 'released';

CREATE TABLE match_journal (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_match_journal PRIMARY KEY,
    key text NOT NULL CONSTRAINT uq_match_journal_key UNIQUE,
    pool_id bigint NOT NULL CONSTRAINT fk_match_journal_pool REFERENCES match_pools (id),
    allocation_id bigint NOT NULL
        CONSTRAINT fk_match_journal_allocation REFERENCES match_allocations (id),
    kind text NOT NULL CONSTRAINT ck_match_journal_kind
        CHECK (kind IN ('reserved', 'confirmed', 'released')),
    reserved_change bigint NOT NULL,
    confirmed_change bigint NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ix_match_journal_pool ON match_journal (pool_id);

CREATE FUNCTION match_allocation_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount_minor <> OLD.amount_minor OR NEW.gift_id <> OLD.gift_id
        OR NEW.pool_id <> OLD.pool_id THEN
        RAISE EXCEPTION 'an allocation keeps its gift, pool and amount'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'match_allocation_moves';
    END IF;
    IF NEW.state <> OLD.state AND NOT (
        (OLD.state = 'reserved' AND NEW.state IN ('confirmed', 'released'))
        OR (OLD.state = 'confirmed' AND NEW.state = 'released')
    ) THEN
        RAISE EXCEPTION 'an allocation cannot move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'match_allocation_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER match_allocation_moves BEFORE UPDATE ON match_allocations
    FOR EACH ROW EXECUTE FUNCTION match_allocation_moves();

CREATE FUNCTION match_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the match journal is append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER match_journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON match_journal
    FOR EACH STATEMENT EXECUTE FUNCTION match_journal_is_append_only();
