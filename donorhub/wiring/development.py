"""The environment of a developer's machine: every setting that `make run` fills in by itself."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from donorhub.kit.ports import free_port, is_free
from donorhub.kit.postgres import ensure_database

CHARITY_FILE = Path(__file__).parent / "demo" / "content" / "charity.toml"
SIMULATOR_KEY = "sk_test_simulator_of_donorhub"
SENDER = "letters@donorhub.example"
ZONE = "America/Moncton"  # where the demo's charity is
_SECRETS = ("SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SAFEGUARDING_KEY")
_PORTS_BESIDE = ("SIMULATOR_PORT", "MAIL_CATCHER_PORT", "MAIL_PORT")
_RUNNING = "running.env"
_KEPT = "development.env"


class PortTaken(RuntimeError):
    """A port that was asked for by name is in use; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each part listens, on 127.0.0.1."""

    site: int
    simulator: int
    mail_catcher: int
    mail: int
    moved: tuple[str, ...] = ()


def instance_folder(environment: MutableMapping[str, str]) -> Path:
    """Return the folder with all data of this instance, made if it is missing."""
    folder = Path(environment.get("INSTANCE_DIR") or "instance").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def choose_ports(environment: MutableMapping[str, str]) -> Ports:
    """Take the ports that are named; find the others, as near to the site's as they are free."""
    site = _named(environment, "PORT", 8000)
    if not is_free(site):
        message = f"Port {site} is in use. Choose another: make run PORT={site + 100}"
        raise PortTaken(message)
    chosen = {"PORT": site}
    moved = []
    for distance, variable in enumerate(_PORTS_BESIDE, start=1):
        is_needed = runs_simulator if variable == "SIMULATOR_PORT" else runs_mail_catcher
        if not is_needed(environment):
            continue
        wanted = _named(environment, variable, site + distance)
        if environment.get(variable) and (wanted in chosen.values() or not is_free(wanted)):
            message = f"Port {wanted} is in use. Choose another {variable}, or leave it out."
            raise PortTaken(message)
        chosen[variable] = free_port(wanted, besides=chosen.values())
        if chosen[variable] != wanted:
            moved.append(f"Port {wanted} is in use; {variable} is {chosen[variable]} instead.")
    simulator, mail_catcher, mail = (chosen.get(variable, 0) for variable in _PORTS_BESIDE)
    return Ports(
        site=site, simulator=simulator, mail_catcher=mail_catcher, mail=mail, moved=tuple(moved)
    )


def _named(environment: MutableMapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= 65_535:  # noqa: PLR2004
        message = f"{name} must be a port from 1 to 65535, not {value!r}."
        raise PortTaken(message)
    return int(value)


def kept_secrets(folder: Path) -> dict[str, str]:
    """Return this instance's own secrets, made once and kept where only its owner can read."""
    kept = _read(folder / _KEPT)
    missing = [name for name in _SECRETS if name not in kept]
    if missing:
        kept |= {name: secrets.token_hex(32) for name in missing}
        _write(folder / _KEPT, kept)
    return kept


def fill_in(environment: MutableMapping[str, str], *, folder: Path, ports: Ports) -> None:
    """Set what the site needs and nobody has set, DATABASE_URL apart."""
    for name, value in kept_secrets(folder).items():
        environment.setdefault(name, value)
    site = f"http://127.0.0.1:{ports.site}"
    defaults = {
        "CHARITY_FILE": str(CHARITY_FILE),
        "DONORHUB_ENV": "development",
        "FLASK_APP": "wsgi",
        "INSTANCE_DIR": str(folder),
        "PORT": str(ports.site),
        "PUBLIC_URL": site,
        "MAIL_DEFAULT_SENDER": SENDER,
        "TIMEZONE": ZONE,
        "PYTHONUNBUFFERED": "1",
    }
    if runs_simulator(environment):
        defaults["STRIPE_SECRET_KEY"] = SIMULATOR_KEY
        defaults["STRIPE_API_BASE"] = f"http://127.0.0.1:{ports.simulator}"
    if runs_mail_catcher(environment):
        defaults["MAIL_SERVER"] = "127.0.0.1"
        environment["MAIL_PORT"] = str(ports.mail)
    for name, value in defaults.items():
        if not environment.get(name):
            environment[name] = value


def runs_simulator(environment: MutableMapping[str, str]) -> bool:
    """Whether Stripe is simulated: unless a key or an address of another one is given."""
    return not environment.get("STRIPE_SECRET_KEY") and not environment.get("STRIPE_API_BASE")


def runs_mail_catcher(environment: MutableMapping[str, str]) -> bool:
    """Whether letters are caught: unless a mail server is given."""
    return not environment.get("MAIL_SERVER")


def remember(environment: MutableMapping[str, str], *, folder: Path) -> None:
    """Keep what `make run` chose, so that `flask …` in another terminal means the same site."""
    own = ("STRIPE_", "MAIL_", "DONORHUB_", "SECRET_KEY", "SAFEGUARDING_KEY", "PUBLIC_URL", "PORT")
    _write(folder / _RUNNING, {k: v for k, v in environment.items() if k.startswith(own)})


def borrow(environment: MutableMapping[str, str]) -> None:
    """Fill in for one command what `make run` chose, and start the database if it sleeps.

    Does nothing in production, or where DATABASE_URL is set: then the environment is complete.
    """
    if environment.get("DONORHUB_ENV") == "production" or environment.get("DATABASE_URL"):
        return
    folder = instance_folder(environment)
    for name, value in _read(folder / _RUNNING).items():
        environment.setdefault(name, value)
    ports = Ports(site=8000, simulator=8001, mail_catcher=8002, mail=8003)
    fill_in(environment, folder=folder, ports=ports)
    environment["DATABASE_URL"] = ensure_database(folder).url


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, sign, value in pairs if sign}


def _write(path: Path, values: MutableMapping[str, str]) -> None:
    """Replace the file whole, readable by its owner only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with new.open("w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    new.replace(path)
