"""The source as the architecture tests read it: modules, their imports, and their functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOUSE = ROOT / "donorhub"
LADDER = (
    "kit", "ledger", "payments", "mail", "accounts", "donors", "stories", "campaigns", "matching",
    "giving", "fundraisers", "receipts", "mediadesk", "followups", "desk", "site", "wiring",
)  # fmt: skip
# Programs of their own, for development: they know nothing of the house, and it nothing of them.
APART = ("donorhub/payments/simulator", "donorhub/mail/catcher")


@dataclass(frozen=True)
class Import:
    """One name taken from somewhere: ``from module import name``, or ``import module``."""

    module: str
    name: str | None
    line: int


@dataclass(frozen=True)
class Module:
    """A Python file."""

    path: Path

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def package(self) -> str:
        """The package of the house, or "" for files beside them."""
        parts = self.path.relative_to(HOUSE).parts
        return parts[0] if len(parts) > 1 else ""

    @property
    def is_apart(self) -> bool:
        return self.where.startswith(APART)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imports(self) -> Iterator[Import]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, None, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                yield from (Import(module, alias.name, node.lineno) for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


def modules(folder: str = "donorhub", *, apart: bool = False) -> list[Module]:
    """Every module below a folder; those of the programs apart only if asked for."""
    found = [Module(path) for path in sorted((ROOT / folder).rglob("*.py"))]
    return [module for module in found if apart or not module.is_apart]


def files(folder: str, pattern: str, *, besides: str = "build") -> list[Path]:
    """Every file of a kind below a folder."""
    return [p for p in sorted((ROOT / folder).rglob(pattern)) if besides not in p.parts]


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def called(call: ast.Call) -> str:
    """The last word of what is called: ``session.commit()`` is "commit"."""
    target = call.func
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def rule(found: list[str], said: str) -> None:
    """Fail with the rule, where it stands, and every place that breaks it."""
    assert not found, f"{said}\n  " + "\n  ".join(found)
