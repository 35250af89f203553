"""The whole house in this process, on real ports: site, simulated Stripe, worker, post."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import procrastinate
import psycopg
import requests
from flask import Flask

from donorhub.kit import Settings, cli, events
from donorhub.mail.catcher.behaviour import Conduct
from donorhub.mail.catcher.smtp import listen
from donorhub.mail.catcher.store import Caught, Store
from donorhub.wiring import create_app, demo
from tests.payments.simulator_server import _listen, _serving, running_simulator

DATABASE = "browser"


@dataclass
class House:
    """Where everything is, and short ways to look at it."""

    app: Flask
    url: str
    bank: str
    post: Store

    def made(self, build: Any, *args: Any, **kwargs: Any) -> Any:
        """Run something in the app's context."""
        with self.app.app_context():
            return build(*args, **kwargs)

    def bank_is(self, **conduct: Any) -> None:
        """Tell the simulated Stripe how to behave."""
        address = f"{self.bank}/_sim/behaviour"
        requests.post(address, json=conduct or {"reset": True}, timeout=5).raise_for_status()

    def letters_to(self, address: str, *, seconds: float = 10) -> list[Caught]:
        """The letters to somebody, once there is one."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [letter for letter in self.post.messages() if address in letter.recipients]
            if found:
                return found
            time.sleep(0.05)
        return []

    def thanked(self, address: str, *words: str) -> None:
        """Find one letter to somebody, come once, that says these words."""
        (letter,) = self.letters_to(address)
        assert letter.copies == 1
        message = message_from_bytes(letter.raw, policy=policy.default)
        text = message.get_body(("plain",)).get_content()
        assert [word for word in words if word not in text] == []


@contextmanager
def running_house(settings: Settings, folder: Path) -> Iterator[House]:
    """Serve the demo on a database of its own; everything ends with the block."""
    with ExitStack() as stack:
        server, url = _listen(lambda _port: Flask("not yet"))
        bank = stack.enter_context(
            running_simulator(f"{url}/webhooks/stripe", site_url=url, fee_delay_ms=0)
        )
        post, port = stack.enter_context(_post(folder))
        app = create_app(
            dataclasses.replace(
                settings,
                database_url=_database(settings.database_url),
                public_url=url,
                stripe_api_base=bank.url,
                mail_port=port,
                charity_file=str(demo.reading.CONTENT / "charity.toml"),
                page_cache_ms=200,
            )
        )
        cli.upgrade(app.extensions["engine"])
        with app.app_context():
            demo.seed()
        server.app = app
        stack.callback(app.extensions["engine"].dispose)
        stack.enter_context(_serving(server))
        stack.enter_context(_working(app))
        yield House(app, url, bank.url, post)


def _database(url: str) -> str:
    """A database beside the one of the other tests, so that nobody empties it meanwhile."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    start, _, query = url.partition("?")
    own = start.rpartition("/")[0] + "/" + DATABASE
    return f"{own}?{query}" if query else own


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A thread with an event loop in it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _post(folder: Path) -> Iterator[tuple[Store, int]]:
    """The mail catcher; its letters, and its port."""
    store = Store(folder / "letters.db")

    async def stop(server: asyncio.Server) -> None:
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    with _loop() as loop:
        opening = listen(store, Conduct(), host="127.0.0.1", port=0)
        server = asyncio.run_coroutine_threadsafe(opening, loop).result(10)
        try:
            yield store, server.sockets[0].getsockname()[1]
        finally:
            asyncio.run_coroutine_threadsafe(stop(server), loop).result(10)
    store.close()


@contextmanager
def _working(app: Flask) -> Iterator[None]:
    """The worker of `flask jobs work`, in a thread."""

    async def work() -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=app.extensions["settings"].database_url, min_size=1, max_size=4
        )
        jobs = events.job_app(app, connector)
        async with jobs.open_async():
            await jobs.run_worker_async(
                concurrency=2, install_signal_handlers=False, fetch_job_polling_interval=0.5
            )

    with _loop() as loop:
        working = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            yield
        finally:
            working.cancel()
            until = time.monotonic() + 5
            while asyncio.all_tasks(loop) and time.monotonic() < until:
                time.sleep(0.05)
