CREATE TABLE stories (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_stories PRIMARY KEY,
    slug text NOT NULL CONSTRAINT uq_stories_slug UNIQUE
        CONSTRAINT ck_stories_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    state text NOT NULL CONSTRAINT ck_stories_state
        CHECK (state IN ('draft', 'published', 'withdrawn')),
    original_locale text NOT NULL,
    happened_on date,
    date_precision text NOT NULL CONSTRAINT ck_stories_precision
        CHECK (date_precision IN ('day', 'month', 'year', 'hidden')),
    topics text[] NOT NULL DEFAULT '{}',
    published_at timestamptz,
    withdrawn_at timestamptz,
    updated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT ck_stories_published CHECK (state <> 'published' OR published_at IS NOT NULL),
    CONSTRAINT ck_stories_withdrawn CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CONSTRAINT ck_stories_date CHECK (date_precision = 'hidden' OR happened_on IS NOT NULL)
);
CREATE INDEX ix_stories_published ON stories (published_at DESC, id DESC)
    WHERE state = 'published';

CREATE TABLE story_texts (
    story_id bigint NOT NULL
        CONSTRAINT fk_story_texts_story REFERENCES stories (id) ON DELETE CASCADE,
    locale text NOT NULL CONSTRAINT ck_story_texts_locale CHECK (locale ~ '^[a-z]{2}$'),
    title text NOT NULL CONSTRAINT ck_story_texts_title CHECK (title <> ''),
    summary text NOT NULL,
    place text,
    body text NOT NULL CONSTRAINT ck_story_texts_body CHECK (body <> ''),
    pseudonym_note text,
    CONSTRAINT pk_story_texts PRIMARY KEY (story_id, locale)
);

CREATE TABLE story_pictures (
    story_id bigint NOT NULL
        CONSTRAINT fk_story_pictures_story REFERENCES stories (id) ON DELETE CASCADE,
    position integer NOT NULL,
    path text NOT NULL,
    width integer NOT NULL CONSTRAINT ck_story_pictures_width CHECK (width > 0),
    height integer NOT NULL CONSTRAINT ck_story_pictures_height CHECK (height > 0),
    credits jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT ck_story_pictures_credits CHECK (jsonb_typeof(credits) = 'object'),
    alts jsonb NOT NULL CONSTRAINT ck_story_pictures_alts CHECK (jsonb_typeof(alts) = 'object'),
    CONSTRAINT pk_story_pictures PRIMARY KEY (story_id, position)
);

-- The safeguarding register: keyed digests of names that must never be public, never the names.
CREATE TABLE protected_names (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_protected_names PRIMARY KEY,
    story_id bigint
        CONSTRAINT fk_protected_names_story REFERENCES stories (id) ON DELETE SET NULL,
    name_hash bytea NOT NULL
        CONSTRAINT ck_protected_names_hash CHECK (octet_length(name_hash) = 32),
    words smallint NOT NULL CONSTRAINT ck_protected_names_words CHECK (words BETWEEN 1 AND 8),
    added_at timestamptz NOT NULL,
    CONSTRAINT uq_protected_names_hash UNIQUE NULLS NOT DISTINCT (name_hash, story_id)
);

-- Counts every committed change of a story, its texts or pictures. Kept pages compare this number:
-- unlike the latest updated_at it also moves when two changes commit in the other order.
CREATE TABLE story_edition (
    only_row boolean NOT NULL DEFAULT true CONSTRAINT pk_story_edition PRIMARY KEY
        CONSTRAINT ck_story_edition_only_row CHECK (only_row),
    number bigint NOT NULL
);
INSERT INTO story_edition (number) VALUES (1);

CREATE FUNCTION story_edition_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO story_edition AS edition (number) VALUES (1)
        ON CONFLICT (only_row) DO UPDATE SET number = edition.number + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER stories_move_edition
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON stories
    FOR EACH STATEMENT EXECUTE FUNCTION story_edition_moves();
CREATE TRIGGER story_texts_move_edition
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON story_texts
    FOR EACH STATEMENT EXECUTE FUNCTION story_edition_moves();
CREATE TRIGGER story_pictures_move_edition
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON story_pictures
    FOR EACH STATEMENT EXECUTE FUNCTION story_edition_moves();
