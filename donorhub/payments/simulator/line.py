"""One kept-alive connection to the site's webhook address."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 10


class Line:
    """Posts JSON to one address; belongs to one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer; 0 when there was none within 10 seconds."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (simulated)",
            **headers,
        }
        was_open = self._connection.sock is not None
        try:
            return self._send(body, headers)
        except (ConnectionError, http.client.BadStatusLine):
            self._connection.close()
            if not was_open:
                return 0
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0
        try:  # the other side had closed an idle connection
            return self._send(body, headers)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _send(self, body: bytes, headers: dict[str, str]) -> int:
        self._connection.request("POST", self._path, body=body, headers=headers)
        response = self._connection.getresponse()
        response.read()
        return response.status
