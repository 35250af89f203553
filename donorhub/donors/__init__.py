"""People who give: who they are and how they may be written to."""

from donorhub.donors.service import remember

__all__ = ["remember"]
