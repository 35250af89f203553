CREATE TABLE campaigns (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_campaigns PRIMARY KEY,
    slug text NOT NULL CONSTRAINT uq_campaigns_slug UNIQUE
        CONSTRAINT ck_campaigns_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    state text NOT NULL CONSTRAINT ck_campaigns_state
        CHECK (state IN ('draft', 'published', 'ended')),
    original_locale text NOT NULL,
    currency text NOT NULL CONSTRAINT ck_campaigns_currency CHECK (currency ~ '^[A-Z]{3}$'),
    goal_minor bigint NOT NULL CONSTRAINT ck_campaigns_goal CHECK (goal_minor > 0),
    suggested_minor bigint[] NOT NULL,
    picture jsonb,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    position integer NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ck_campaigns_window CHECK (ends_at IS NULL OR ends_at > starts_at)
);

CREATE TABLE campaign_texts (
    campaign_id bigint NOT NULL
        CONSTRAINT fk_campaign_texts_campaign REFERENCES campaigns (id) ON DELETE CASCADE,
    locale text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    body text NOT NULL,
    picture_alt text NOT NULL DEFAULT '',
    CONSTRAINT pk_campaign_texts PRIMARY KEY (campaign_id, locale)
);

CREATE TABLE campaign_stories (
    campaign_id bigint NOT NULL
        CONSTRAINT fk_campaign_stories_campaign REFERENCES campaigns (id) ON DELETE CASCADE,
    story_id bigint NOT NULL
        CONSTRAINT fk_campaign_stories_story REFERENCES stories (id) ON DELETE CASCADE,
    position integer NOT NULL DEFAULT 0,
    CONSTRAINT pk_campaign_stories PRIMARY KEY (campaign_id, story_id)
);
CREATE INDEX ix_campaign_stories_story ON campaign_stories (story_id);
