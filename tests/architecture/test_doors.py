"""What leads into the house from outside: routes, settings, commands, jobs, letters, migrations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import click
import pytest
from flask import Flask

from donorhub.kit import Settings, SettingsError, events, web
from donorhub.wiring import parts, routes
from tests.architecture.code import LADDER, ROOT, Module, rule

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
ONLY_FOR_MAKE_RUN = {
    "PORT", "INSTANCE_DIR", "WEB_WORKERS", "WEB_THREADS", "SIMULATOR_PORT", "MAIL_CATCHER_PORT",
}  # fmt: skip
# Commands that change something and have no --dry-run, each with the reason.
NO_DRY_RUN = {
    "db upgrade": "Alembic's own; the same at any time, and a migration is read before it is run",
    "db downgrade": "asks before it drops anything",
    "db prepare": "db upgrade and demo seed in one, for make run",
    "assets build": "writes only what can be built again",
    "jobs work": "does what others have asked for",
}
READS_ONLY = {"ledger check", "mail list", "payments parked", "stories list"}


@pytest.fixture(scope="module")
def house(built_app: Flask) -> Flask:
    return built_app


@dataclass
class Asked(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    names: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")
def settings_names() -> set[str]:
    asked = Asked()
    with pytest.raises(SettingsError):
        Settings.from_env(asked)
    return asked.names | ONLY_FOR_MAKE_RUN


def told(pattern: str, name: str) -> list:
    """Find a pattern in every line of a file."""
    return re.findall(pattern, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_setting_stands_in_the_example_and_in_the_docs(settings_names):
    example = set(told(r"^# ([A-Z_]+)=", ".env.example"))
    docs = set(told(r"^\| `([A-Z_]+)` \|", "docs/settings.md"))
    assert example == settings_names, "settings: .env.example lists each, and no other"
    assert docs == settings_names, "settings: docs/settings.md explains each, and no other"


def test_the_example_sets_nothing_by_itself():
    text = (ROOT / ".env.example").read_text()
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == []


def test_the_defaults_in_the_docs_are_the_true_ones(settings_names):
    docs = (ROOT / "docs/settings.md").read_text()
    known = dict(told(r"^\| `([A-Z_]+)` \| `([^`]*)` \|", "docs/settings.md"))
    example = dict(told(r"^# ([A-Z_]+)=(.+)$", ".env.example"))
    near = {name: example[name] for name in ("SIMULATOR_PORT", "MAIL_CATCHER_PORT")}
    assert example == known | near
    needed = {
        name: "x" * 40
        for name in settings_names - known.keys()
        if f"| `{name}` | needed" in docs
    }  # fmt: skip
    assert Settings.from_env(needed | known) == Settings.from_env(needed)


def test_every_route_is_in_the_list_of_routes(house):
    listed = (ROOT / "docs/routes.txt").read_text()
    assert listed == routes.listing(house), (
        "routes: run `flask docs write`; a removal is a decision"
    )


def test_a_route_without_a_guard_stops_the_start(house, monkeypatch):
    monkeypatch.delitem(routes.GUARDS, "giving.gift_page")
    monkeypatch.setitem(routes.GUARDS, "giving.no_such_page", "public")
    monkeypatch.setitem(routes.GUARDS, "site.home", "perhaps")
    with pytest.raises(routes.UnguardedRoute) as refusal:
        routes.check(house)
    for words in ("giving.gift_page has no guard", "no_such_page is no route", "site.home: no"):
        assert words in str(refusal.value)


def test_every_unsafe_route_asks_for_a_token_or_is_exempt_by_name(house, monkeypatch):
    unsafe = {r.endpoint for r in house.url_map.iter_rules() if (r.methods or set()) & UNSAFE}
    assert set(parts.CSRF_EXEMPT) <= unsafe
    exempt = {
        name
        for name in unsafe
        if f"{house.view_functions[name].__module__}.{house.view_functions[name].__name__}"
        in web.csrf._exempt_views
    }
    assert exempt == set(parts.CSRF_EXEMPT), "CSRF: only parts.CSRF_EXEMPT may go without a token"
    client = house.test_client()
    for name in sorted(unsafe - exempt):
        found = next(
            r for r in house.url_map.iter_rules() if r.endpoint == name and r.methods & UNSAFE
        )
        values = dict.fromkeys(found.arguments, "x")
        with house.test_request_context():
            address = found.build(values)[1]
        monkeypatch.delitem(house.extensions["form_again"], name, raising=False)
        answer = client.post(address)
        assert answer.status_code == 400, f"CSRF: {name} answers {answer.status_code} untokened"


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def test_every_command_says_what_it_does(house):
    silent = [name for name, command in commands(house.cli) if not (command.help or "").strip()]
    rule(silent, "commands: every one has --help")
    silent = [name for name, group in house.cli.commands.items() if not group.help]
    rule(silent, "commands: every group has --help")


def test_every_command_that_changes_data_can_be_tried_first(house):
    found = dict(commands(house.cli))
    missing = [
        name
        for name, command in found.items()
        if name not in NO_DRY_RUN and name not in READS_ONLY
        and "--dry-run" not in [o for p in command.params for o in p.opts]
    ]  # fmt: skip
    rule(missing, "commands: every mutating one has --dry-run, or a reason in NO_DRY_RUN")
    assert found.keys() >= NO_DRY_RUN.keys() | READS_ONLY


def test_every_job_is_named_after_its_package(house):
    for spec in events._JOBS.values():
        if not spec.run.__module__.startswith("donorhub."):
            continue
        package = spec.run.__module__.split(".")[1]
        assert spec.name.split(".")[0] == package, f"jobs: {spec.name} lives in {package}"
        assert spec.run.__module__ == f"donorhub.{package}.jobs", "jobs: they live in jobs.py"
        assert spec.run.__doc__, f"jobs: {spec.name} says what it does"


def test_every_listener_is_a_job_and_every_event_is_listed(house):
    known = set(events.job_names())
    for names in parts.SUBSCRIBERS.values():
        assert set(names) <= known, "events: wiring maps events to jobs that exist"
    declared = set()
    for package in LADDER:
        path = ROOT / "donorhub" / package / "events.py"
        if package != "kit" and path.exists():
            nodes = Module(path).tree.body
            declared |= {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    assert declared == {kind.__name__ for kind in parts.SUBSCRIBERS}, "events: wiring lists each"


def test_every_letter_has_a_subject_and_both_bodies():
    letters = ROOT / "templates" / "letters"
    folders = {path.parent for path in letters.rglob("*") if path.is_file()}
    for folder in folders:
        found = {path.name for path in folder.iterdir()}
        assert found == {"subject.txt", "body.txt", "body.html"}, f"letters: {folder.name}: {found}"


def test_every_letter_template_has_a_builder_and_the_other_way_round(house):
    letters = ROOT / "templates" / "letters"
    written = {str(p.parent.relative_to(letters)) for p in letters.rglob("subject.txt")}
    assert written == set(house.extensions["post_office"].builders)


def test_every_migration_can_be_taken_back():
    found = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    assert found
    for path in found:
        functions = {node.name: node for node in Module(path).functions()}
        assert "downgrade" in functions, f"migrations: {path.name} has no downgrade"
        body = [n for n in functions["downgrade"].body if not isinstance(n, ast.Pass)]
        assert len(body) > 1, f"migrations: the downgrade of {path.name} does nothing"
