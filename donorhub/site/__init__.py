"""Public pages that mix features: home, story page, campaign page, and the site's own files."""

from donorhub.site.charity import Charity, charity
from donorhub.site.views import blueprint

__all__ = ["Charity", "blueprint", "charity"]
