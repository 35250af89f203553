"""What the tests of stories share: the example reports, and what a reader sees of a text."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from donorhub.kit import render_markdown

REPORTS = Path(__file__).parent / "reports"
SEEDS = Path(__file__).parents[2].parent / "shared" / "seeds"


@pytest.fixture(scope="session")
def report():
    """Read an example report's bytes by the name of its file."""
    return lambda name: (REPORTS / name).read_bytes()


@pytest.fixture(scope="session")
def reports():
    return REPORTS


@pytest.fixture(scope="session")
def seen():
    """Say what a reader sees of Markdown, on one line."""

    def read(markdown: str) -> str:
        rendered = re.sub(r"<[^>]*>", " ", str(render_markdown.__wrapped__(markdown)))
        return " ".join(html.unescape(rendered).split())

    return read


@pytest.fixture(scope="session")
def seed():
    """Read a partner's real report, where one lies beside the checkout."""

    def read(start: str) -> bytes:
        found = sorted(SEEDS.glob(f"{start}*")) if SEEDS.is_dir() else []
        if not found:
            pytest.skip("the partners' reports do not lie beside this checkout (../shared/seeds)")
        return found[0].read_bytes()

    return read
