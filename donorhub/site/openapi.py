"""The specification of the public JSON."""

from __future__ import annotations

from typing import Any

_MINOR = {"type": "integer", "description": "Minor units of the currency (cents)."}
_MOMENT = {"type": "string", "format": "date-time"}


def specification(site: str) -> dict[str, Any]:
    """Return the OpenAPI document of everything under /api/."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "DonorHub public figures", "version": "1"},
        "servers": [{"url": site}],
        "paths": {
            "/api/campaigns/{slug}": {
                "get": {
                    "summary": "A campaign's public figures",
                    "parameters": [
                        {
                            "name": "slug",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        }
                    ],
                    "responses": {
                        "200": {
                            "description": "The figures at this moment.",
                            "content": {"application/json": {"schema": _campaign()}},
                        },
                        "404": {"description": "There is no such campaign."},
                    },
                }
            }
        },
    }


def _campaign() -> dict[str, Any]:
    match = {
        "state": {"enum": ["active", "exhausted", "upcoming", "ended", "paused"]},
        "ratio": {"type": "string"},
        "cap_minor": _MINOR,
        "reserved_minor": _MINOR,
        "confirmed_minor": _MINOR,
        "remaining_minor": _MINOR,
        "ends_at": _MOMENT,
    }
    properties = {
        "slug": {"type": "string"},
        "currency": {"type": "string"},
        "goal_minor": _MINOR,
        "raised_minor": _MINOR,
        "matched_minor": _MINOR,
        "gifts": {"type": "integer"},
        "match": {
            "oneOf": [
                {"type": "null"},
                {"type": "object", "properties": match, "required": list(match)},
            ]
        },
        "as_of": _MOMENT,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
