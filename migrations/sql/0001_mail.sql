CREATE TABLE letters (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_letters PRIMARY KEY,
    key text NOT NULL CONSTRAINT uq_letters_key UNIQUE
        CONSTRAINT ck_letters_key CHECK (key ~ '^[A-Za-z0-9:._/+-]{1,200}$'),
    template text NOT NULL
        CONSTRAINT ck_letters_template CHECK (template ~ '^[a-z0-9_-]+(/[a-z0-9_-]+)+$'),
    locale text NOT NULL CONSTRAINT ck_letters_locale CHECK (locale ~ '^[a-z]{2}$'),
    to_address text NOT NULL CONSTRAINT ck_letters_to_address CHECK (
        char_length(to_address) <= 254
        AND to_address ~ '^[^@[:space:][:cntrl:]<>,;:"]+@[^@[:space:][:cntrl:]<>,;:"]+$'),
    to_name text NOT NULL CONSTRAINT ck_letters_to_name CHECK (
        char_length(to_name) <= 120 AND to_name !~ E'[[:cntrl:]\u0085\u2028\u2029]'),
    context jsonb NOT NULL
        CONSTRAINT ck_letters_context CHECK (jsonb_typeof(context) = 'object'),
    state text NOT NULL CONSTRAINT ck_letters_state CHECK (
        state IN ('queued', 'sending', 'sent', 'suppressed', 'failed')),
    attempts integer NOT NULL CONSTRAINT ck_letters_attempts CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    lease_until timestamptz,
    message_id text NOT NULL CONSTRAINT uq_letters_message_id UNIQUE
        CONSTRAINT ck_letters_message_id CHECK (message_id ~ '^<[!-;=?A-~]+@[!-;=?A-~]+>$'),
    sent_at timestamptz,
    suppressed_reason text,
    error text CONSTRAINT ck_letters_error CHECK (
        error ~ '^(server|later|never|ours) [A-Za-z0-9_]{1,80}( [0-9]{3})?$'),
    created_at timestamptz NOT NULL,
    CONSTRAINT ck_letters_lease CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT ck_letters_sent CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT ck_letters_suppressed CHECK (
        (state = 'suppressed') = (suppressed_reason IS NOT NULL)),
    CONSTRAINT ck_letters_failed CHECK (state <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ck_letters_tried CHECK (state NOT IN ('sending', 'sent') OR attempts > 0)
);
CREATE INDEX ix_letters_due ON letters (due_at, id) WHERE state = 'queued';
CREATE INDEX ix_letters_lease ON letters (lease_until) WHERE state = 'sending';
CREATE INDEX ix_letters_failed ON letters (id) WHERE state = 'failed';
