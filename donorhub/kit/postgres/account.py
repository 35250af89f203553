"""Whose account the server runs under: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

# The first exists where a distribution's own PostgreSQL is installed; the second always does.
_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group of the server's files and processes."""

    user: int
    group: int


def server_account(folder: Path) -> Account | None:
    """Return the account to drop to, or None where the caller's own will do.

    A folder that exists keeps its owner, so that it can be used again.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return Account(user=folder.stat().st_uid, group=folder.stat().st_gid)
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(entries[name] for name in _ACCOUNTS if name in entries)
    return Account(user=entry.pw_uid, group=entry.pw_gid)


def let_pass(folder: Path) -> list[Path]:
    """Let every account pass through, not list, the folders above; return those changed.

    A checkout below a private folder, such as root's own, is out of the server's reach otherwise.
    """
    closed = [above for above in folder.resolve().parents if not _mode(above) & stat.S_IXOTH]
    for above in closed:
        above.chmod(_mode(above) | stat.S_IXOTH)
    return closed


def let_read(folder: Path) -> None:
    """Let every account read and run what a strict umask has kept to its owner."""
    if _mode(folder) & stat.S_IXOTH:
        return
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = stat.S_IXOTH if _mode(path) & stat.S_IXUSR else 0
            path.chmod(_mode(path) | stat.S_IROTH | runs)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
