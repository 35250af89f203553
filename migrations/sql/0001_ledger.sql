CREATE TABLE ledger_accounts (
    code text CONSTRAINT pk_ledger_accounts PRIMARY KEY,
    kind text NOT NULL CONSTRAINT ck_ledger_accounts_kind
        CHECK (kind IN ('asset', 'income', 'expense')),
    name text NOT NULL
);

INSERT INTO ledger_accounts (code, kind, name) VALUES
    ('stripe-balance', 'asset', 'Held at Stripe'),
    ('disputed-funds', 'asset', 'Taken back by a bank while a dispute is open'),
    ('sponsors-owe', 'asset', 'Match that sponsors owe'),
    ('gifts-received', 'income', 'Gifts received'),
    ('match-earned', 'income', 'Match earned'),
    ('processing-fees', 'expense', 'Card processing fees'),
    ('dispute-fees', 'expense', 'Dispute fees');

CREATE TABLE ledger_entries (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_ledger_entries PRIMARY KEY,
    key text NOT NULL CONSTRAINT uq_ledger_entries_key UNIQUE,
    kind text NOT NULL,
    subject text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ix_ledger_entries_subject ON ledger_entries (subject);

CREATE TABLE ledger_postings (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_ledger_postings PRIMARY KEY,
    entry_id bigint NOT NULL
        CONSTRAINT fk_ledger_postings_entry REFERENCES ledger_entries (id),
    account_code text NOT NULL
        CONSTRAINT fk_ledger_postings_account REFERENCES ledger_accounts (code),
    amount_minor bigint NOT NULL CONSTRAINT ck_ledger_postings_amount CHECK (amount_minor <> 0),
    currency text NOT NULL CONSTRAINT ck_ledger_postings_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX ix_ledger_postings_entry ON ledger_postings (entry_id);
CREATE INDEX ix_ledger_postings_account ON ledger_postings (account_code, currency);

CREATE FUNCTION ledger_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM ledger_postings WHERE entry_id = NEW.entry_id
        GROUP BY currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger entry % does not sum to zero', NEW.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balances();

CREATE FUNCTION ledger_entry_has_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_postings WHERE entry_id = NEW.id) THEN
        RAISE EXCEPTION 'ledger entry % has no postings', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_has_postings';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entry_has_postings AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_has_postings();

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_postings
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
