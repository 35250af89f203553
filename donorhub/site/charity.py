"""The charity that runs this site, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from donorhub.kit import Settings, locales, settings


@dataclass(frozen=True, slots=True)
class PressContact:
    """Somebody who answers the media."""

    name: str
    title: str
    email: str
    phone: str
    hours: str = ""
    promise: str = ""


@dataclass(frozen=True, slots=True)
class Charity:
    """Who asks for the gift, in one language."""

    name: str
    email: str
    mark: str | None = None
    purpose: str = ""
    short_purpose: str = ""
    phone: str = ""
    registration: str = ""
    address: tuple[str, ...] = ()
    help_text: str = ""
    help_label: str = ""
    help_phone: str = ""
    press_contact: PressContact | None = None
    press_substitute: PressContact | None = None


def charity(found: Settings, locale: str | None = None) -> Charity:
    """Return the charity's words in the reader's language, from CHARITY_FILE and settings."""
    return _charity(
        found.charity_file,
        found.organisation_name,
        found.mail_default_sender,
        locale or locales.current(),
    )


@lru_cache(maxsize=16)
def _charity(path: str, name: str, sender: str, locale: str) -> Charity:
    known = settings.read_charity(path)
    texts = {key: known[key] for key in locales.LOCALES if key in known}
    words: dict[str, Any] = locales.text_for(texts, locale)[1] if texts else {}
    email = words.get("email") or sender.rpartition("<")[2].rstrip(">")
    press = dict(words.get("press", {}))
    substitute = press.pop("substitute", None)
    return Charity(
        name=name or words.get("name") or "DonorHub",
        email=email,
        mark=known.get("mark_picture"),
        purpose=words.get("purpose", ""),
        short_purpose=words.get("short_purpose", ""),
        phone=words.get("phone", ""),
        registration=words.get("registration", ""),
        address=tuple(words.get("address", ())),
        help_text=words.get("help", {}).get("text", ""),
        help_label=words.get("help", {}).get("label", ""),
        help_phone=words.get("help", {}).get("phone", ""),
        press_contact=PressContact(**press) if press else None,
        press_substitute=PressContact(**substitute) if substitute else None,
    )
