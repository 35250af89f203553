"""Stories for tests."""

from __future__ import annotations

from datetime import date

from donorhub import stories


def a_story(slug: str = "the-open-door", *, title: str = "The open door", body: str = "") -> str:
    stories.save_story(
        slug,
        texts={
            "en": stories.StoryWords(
                title=title,
                summary="Somebody opened a door.",
                body=body or "One.\n\n> “Two.”\n\nThree.",
                place="A town by the sea",
            )
        },
        happened_on=date(2026, 3, 1),
        date_precision=stories.DatePrecision.MONTH,
    )
    stories.publish(slug)
    return slug
