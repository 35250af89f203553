"""The demo: a charity that does not exist, its stories, campaigns, match and earlier gifts."""

from donorhub.wiring.demo.seed import seed

__all__ = ["seed"]
