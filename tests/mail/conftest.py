"""A post office for tests: the real catcher on free ports, and letters of our own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, FileSystemLoader

from donorhub import mail
from donorhub.kit import db, session, unit_of_work
from donorhub.mail.catcher.behaviour import Conduct
from donorhub.mail.catcher.smtp import listen
from donorhub.mail.catcher.store import Caught, Store
from donorhub.mail.catcher.web import create_app

TEMPLATES = Path(__file__).parent / "templates"


@dataclass
class Catcher:
    """A catcher that runs in this process."""

    port: int
    store: Store
    conduct: Conduct
    client: FlaskClient

    def caught(self) -> list[Caught]:
        """What came, oldest first."""
        return self.store.messages()[::-1]


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    store, conduct = Store(tmp_path / "letters.db"), Conduct()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def stop(server: asyncio.Server) -> None:
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    opening = listen(store, conduct, host="127.0.0.1", port=0)
    server = asyncio.run_coroutine_threadsafe(opening, loop).result(10)
    port = server.sockets[0].getsockname()[1]
    yield Catcher(port, store, conduct, create_app(store, conduct).test_client())
    asyncio.run_coroutine_threadsafe(stop(server), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    store.close()


@pytest.fixture
def post(app: Flask, catcher: Catcher, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catcher]:
    """The app's letters go to the catcher; no letter is left over from another test."""
    office = app.extensions["post_office"]
    server = app.extensions["mail"]
    for name, value in {"server": "127.0.0.1", "port": catcher.port, "suppress": False}.items():
        monkeypatch.setattr(server, name, value)
    for name, value in {"use_tls": False, "username": None, "password": None}.items():
        monkeypatch.setattr(server, name, value)
    for name, value in {
        "builders": {},
        "gates": [],
        "silent_until": None,
        "reply_to": "",
    }.items():
        monkeypatch.setattr(office, name, value)
    own = FileSystemLoader(TEMPLATES)
    monkeypatch.setattr(app, "jinja_loader", ChoiceLoader([own, app.jinja_loader]))
    with app.app_context():
        with unit_of_work():
            db.run("DELETE FROM letters")
            db.run("DELETE FROM procrastinate_jobs WHERE task_name LIKE 'mail.%'")
        yield catcher
        session.rollback()


@pytest.fixture
def queued(post: Catcher) -> Callable[..., int]:
    """Queue a letter of its own key and return its id."""
    count = iter(range(1_000_000))

    def queue(**parts: object) -> int:
        number = next(count)
        given = {
            "to": f"donor{number}@example.org",
            "template": "tests/note",
            "key": f"note:{number}",
        }
        letter = mail.Letter(**{**given, **parts})
        with unit_of_work():
            assert mail.queue(letter)
            return db.one("SELECT id FROM letters WHERE key = :key", key=letter.key).id

    return queue
