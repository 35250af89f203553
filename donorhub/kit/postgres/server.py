"""Start a PostgreSQL server on a private socket, and stop it with the process that started it."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from donorhub.kit.postgres.account import Account, let_pass, let_read, server_account
from donorhub.kit.postgres.cluster import ENVIRONMENT, Cluster, PostgresStartFailed
from donorhub.kit.postgres.programs import Programs, find_programs
from donorhub.kit.processes import ends_with_parent

DATABASE = "donorhub"
START_WITHIN = 30.0
STOP_WITHIN = 10.0
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_checkpoints": "off",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# What a server says whose predecessor was killed and has not let go of everything yet.
_NOT_YET = ("shared memory block", "postmaster.pid")


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server whose database `url` is ours; `cluster` is None for one only named to us."""

    url: str
    cluster: Cluster | None = None

    def url_for(self, database: str) -> str:
        """Return the address of another database on the same server."""
        before, mark, query = self.url.partition("?")
        return f"{before.rpartition('/')[0]}/{database}{mark}{query}"

    def is_running(self) -> bool:
        """Whether it still runs; a server only named to us is taken to."""
        return self.cluster is None or self.cluster.postmaster() is not None

    def stop(self) -> None:
        """Stop the server cleanly, whoever started it; leave one only named to us alone."""
        postmaster = self.cluster.postmaster() if self.cluster is not None else None
        if postmaster is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with suppress(psutil.NoSuchProcess):
                postmaster.send_signal(number)
            with suppress(psutil.TimeoutExpired):
                postmaster.wait(timeout=STOP_WITHIN)
                return


def ensure_database(
    instance: Path, *, url: str | None = None, durable: bool = True
) -> PostgresServer:
    """Return a server with our database: the one at `url`, else one that lives in `instance`.

    A server that already runs there is used as it is; one started here ends with this process.
    Raises PostgresMissing or PostgresStartFailed, each saying what to do.
    """
    if url:
        return PostgresServer(url=url)
    instance = instance.resolve()
    instance.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(instance / "postgres")
    with (instance / "postgres.lock").open("w") as only_one_starts_it:
        fcntl.flock(only_one_starts_it, fcntl.LOCK_EX)
        if not _answers(cluster):
            _start(cluster, durable=durable)
        _ensure_exists(cluster)
    return PostgresServer(url=cluster.url(DATABASE), cluster=cluster)


@contextmanager
def temporary_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run an empty server for as long as the block lasts, then remove all trace of it."""
    folder = Path(tempfile.mkdtemp(prefix="donorhub-"))
    try:
        server = ensure_database(folder, durable=durable)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(cluster: Cluster) -> bool:
    """Whether a server runs there; waits for one that is just starting or stopping."""
    deadline = time.monotonic() + START_WITHIN
    while cluster.postmaster() is not None and time.monotonic() < deadline:
        if _takes_connections(cluster):
            return True
        time.sleep(0.05)
    return False


def _takes_connections(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.url("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _start(cluster: Cluster, *, durable: bool) -> None:
    programs = find_programs(major=cluster.major)
    account = server_account(cluster.folder)
    if account is not None:
        _open_the_way(cluster, programs)
    if cluster.major is None:
        cluster.create(programs, account, durable=durable)
    cluster.make_socket_folder(account)
    deadline = time.monotonic() + START_WITHIN
    while problem := _try_to_start(cluster, programs, account, durable=durable):
        if time.monotonic() > deadline or not any(words in problem for words in _NOT_YET):
            message = f"PostgreSQL did not start:\n{problem}\nMore in {cluster.log}"
            raise PostgresStartFailed(message)
        time.sleep(0.2)


def _open_the_way(cluster: Cluster, programs: Programs) -> None:
    """Let the server's account reach its programs and its folder, and say what that changed."""
    for part in programs.parts:
        let_read(part)
    opened = {*let_pass(programs.folder), *let_pass(cluster.folder)}
    if opened:
        names = ", ".join(sorted(str(folder) for folder in opened))
        sys.stderr.write(f"PostgreSQL never runs as root; its account may pass through {names}\n")


def _try_to_start(
    cluster: Cluster, programs: Programs, account: Account | None, *, durable: bool
) -> str:
    """Start the server and wait until it answers; return what it said if it gave up, else ""."""
    cluster.forget_the_dead()
    settings = {**_SETTINGS, "unix_socket_directories": str(cluster.socket_folder)}
    settings |= {} if durable else _NOT_DURABLE
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with cluster.log.open("ab") as log:
        said_before = log.tell()
        process = subprocess.Popen(
            [programs.folder / "postgres", "-D", cluster.folder, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ENVIRONMENT,
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            preexec_fn=ends_with_parent(signal.SIGINT),  # noqa: PLW1509 - calls prctl, no lock
        )
    deadline = time.monotonic() + START_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        if _takes_connections(cluster):
            atexit.register(_stop_own, os.getpid(), process)
            return ""
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
        return f"no answer within {START_WITHIN:.0f} s"
    with cluster.log.open("rb") as log:
        log.seek(said_before)
        return log.read().decode(errors="replace").strip()


def _stop_own(owner: int, process: subprocess.Popen[bytes]) -> None:
    """Stop the server at the end of the process that started it, not at that of its forks."""
    if os.getpid() != owner or process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=STOP_WITHIN)


def _ensure_exists(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(known, (DATABASE,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
