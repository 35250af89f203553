"""Local ports: which are free, and does something answer there yet."""

from __future__ import annotations

import http
import http.client
import socket
from collections.abc import Callable, Collection

LAST_PORT = 65_535


def answers_tcp(port: int, *, host: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a question: does something listen on this port."""

    def answers() -> bool:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return answers


def answers_http(port: int, path: str, *, host: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a question: does this page answer 200."""

    def answers() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return answers


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether we could listen on this port now."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except (OSError, OverflowError):
            return False
        return True


def free_port(first: int, *, besides: Collection[int] = ()) -> int:
    """Return the first free port from this one on; raises OSError if there is none."""
    for port in range(first, LAST_PORT + 1):
        if port not in besides and is_free(port):
            return port
    message = f"no free port from {first} on"
    raise OSError(message)
