"""A server's files: its folder, its private socket, and the process that they name."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from donorhub.kit.postgres.account import Account
from donorhub.kit.postgres.programs import Programs

# A socket's path has 108 bytes on Linux and 104 on macOS; the file's own name takes 15.
_LONGEST_SOCKET_FOLDER = 85
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class PostgresStartFailed(RuntimeError):
    """The server did not start; the message ends with its own last words."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one server keeps everything: `folder`, which only its account may enter."""

    folder: Path

    @property
    def log(self) -> Path:
        """The file with the server's own words, beside its folder."""
        return self.folder.with_name("postgres.log")

    @property
    def major(self) -> int | None:
        """The version that made the folder; None before it is made."""
        made = self.folder / "PG_VERSION"
        return int(made.read_text()) if made.exists() else None

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies: in the folder, or near the root where that path is too long."""
        if len(os.fsencode(self.folder)) <= _LONGEST_SOCKET_FOLDER:
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"donorhub-{name}"

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql://postgres@/{database}?host={host}&port=5432"

    def make_socket_folder(self, account: Account | None) -> None:
        """Make sure that nobody but the server's account, and root, can reach the socket."""
        place = self.socket_folder
        if place == self.folder:
            return
        owner = account.user if account is not None else os.geteuid()
        place.mkdir(mode=0o700, exist_ok=True)
        if account is not None and place.lstat().st_uid == 0:
            os.chown(place, account.user, account.group, follow_symlinks=False)
        if place.is_symlink() or place.lstat().st_uid != owner:
            message = f"{place} belongs to somebody else; choose a shorter INSTANCE_DIR"
            raise PostgresStartFailed(message)

    def postmaster(self) -> psutil.Process | None:
        """Return the process that serves this folder now, if there is one."""
        try:
            number = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(number)
            lives = process.status() != psutil.STATUS_ZOMBIE
            # A number is soon somebody else's, but every process of a server works in its folder.
            return process if lives and Path(process.cwd()) == self.folder else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    def forget_the_dead(self) -> None:
        """Remove the lock files of a server that was killed: its number may be taken by another.

        Its last processes still keep a new server out, by the shared memory that they hold.
        """
        if self.postmaster() is None:
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def create(self, programs: Programs, account: Account | None, *, durable: bool) -> None:
        """Make the empty folder, under another name until it is complete."""
        unfinished = self.folder.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if account is not None:
            os.chown(unfinished, account.user, account.group)
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        options += programs.locale_options if durable else (*programs.locale_options, "--no-sync")
        made = subprocess.run(
            [programs.folder / "initdb", "-D", unfinished, *options],
            capture_output=True,
            text=True,
            check=False,
            env=ENVIRONMENT,
            cwd="/",
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
        )
        if made.returncode != 0:
            message = f"PostgreSQL could not create its folder:\n{made.stderr.strip()}"
            raise PostgresStartFailed(message)
        unfinished.rename(self.folder)
