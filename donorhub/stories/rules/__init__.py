"""Pure decisions about stories: no database, no Flask, no clock."""

from donorhub.stories.rules.blocks import Dropped
from donorhub.stories.rules.body import split_for_giving
from donorhub.stories.rules.dates import DatePrecision
from donorhub.stories.rules.marks import marked_names
from donorhub.stories.rules.markup import escape_marks
from donorhub.stories.rules.names import NotAName, ProtectedName, Register, digest, name_words
from donorhub.stories.rules.reading import MAX_BYTES, CannotRead
from donorhub.stories.rules.report import Draft, read_report
from donorhub.stories.rules.slugs import is_slug, slug_from

__all__ = [
    "MAX_BYTES",
    "CannotRead",
    "DatePrecision",
    "Draft",
    "Dropped",
    "NotAName",
    "ProtectedName",
    "Register",
    "digest",
    "escape_marks",
    "is_slug",
    "marked_names",
    "name_words",
    "read_report",
    "slug_from",
    "split_for_giving",
]
