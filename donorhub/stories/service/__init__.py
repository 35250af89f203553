"""What editors and safeguarding do with stories; each verb is one unit of work."""

from donorhub.stories.service.importing import Imported, chosen_slug, import_report, read_source
from donorhub.stories.service.publishing import protect_name, publish, save_story, withdraw
from donorhub.stories.service.refusals import (
    NoSuchStory,
    NotPublishable,
    ProtectedNameFound,
    SlugNeeded,
    SlugTaken,
)
from donorhub.stories.service.steps import StoryImage, StoryWords

__all__ = [
    "Imported",
    "NoSuchStory",
    "NotPublishable",
    "ProtectedNameFound",
    "SlugNeeded",
    "SlugTaken",
    "StoryImage",
    "StoryWords",
    "chosen_slug",
    "import_report",
    "protect_name",
    "publish",
    "read_source",
    "save_story",
    "withdraw",
]
