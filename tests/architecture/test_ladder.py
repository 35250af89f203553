"""Packages form one ladder, are entered by their front doors, and keep one vocabulary of files."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.code import APART, HOUSE, LADDER, Import, Module, modules, rule

SAID = "docs/decisions: the ladder"
FILES = {
    "__init__", "model", "rules", "service", "queries", "events", "forms", "views", "letters",
    "jobs", "cli",
}  # fmt: skip
ALSO = {
    "payments": {"gateway", "inbox", "reconcile", "simulator"},
    "mail": {"catcher"},
    "site": {"charity", "openapi"},
}
ANYTHING = {"kit", "wiring"}
# What programs need before there is an app; the site itself never loads them.
TOOLS_FOR_PROGRAMS = {"ports", "postgres", "processes"}


def inside(module: Module, found: Import) -> str | None:
    """Return the package of the house that an import reaches into, or None."""
    if found.module == "donorhub":
        return found.name
    if found.module.startswith("donorhub."):
        return found.module.split(".")[1]
    return module.package if found.module.startswith(".") else None


def test_every_package_stands_on_the_ladder():
    packages = {path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists()}
    assert packages <= set(LADDER), f"{SAID}: every package has its rung"


def test_a_package_imports_only_what_stands_below_it():
    found = [
        f"{module.where}:{line.line} {module.package} imports {package}"
        for module in modules()
        for line in module.imports()
        if (package := inside(module, line)) and package != module.package
        and LADDER.index(package) > LADDER.index(module.package)
    ]  # fmt: skip
    rule(found, f"{SAID}: import only from the left")


def test_a_package_is_entered_by_its_front_door():
    found = [
        f"{module.where}:{line.line} from {line.module} import {line.name}"
        for module in modules()
        for line in module.imports()
        if (package := inside(module, line)) and package != module.package
        and not enters_by_the_door(line, package)
    ]  # fmt: skip
    rule(found, f"{SAID}: from donorhub.<package> import what its __init__ offers")


def enters_by_the_door(line: Import, package: str) -> bool:
    if line.module == "donorhub":
        return True
    parts = line.module.split(".")
    if package == "kit" and len(parts) == 3 and parts[2] in TOOLS_FOR_PROGRAMS:
        return True
    return len(parts) == 2 and line.name in offered(package)


def offered(package: str) -> set[str]:
    tree = Module(HOUSE / package / "__init__.py").tree
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


@pytest.mark.parametrize("package", [p for p in LADDER[:-1] if (HOUSE / p).is_dir()])
def test_a_front_door_offers_only_what_is_there(package):
    doors = [n for n in Module(HOUSE / package / "__init__.py").tree.body
             if isinstance(n, ast.ImportFrom)]  # fmt: skip
    names = {alias.asname or alias.name for node in doors for alias in node.names}
    missing = offered(package) - names
    assert not missing, f"{SAID}: {package} offers {missing}, which it does not have"


def test_the_simulator_and_the_mail_catcher_stand_apart():
    found = []
    for module in modules(apart=True):
        for line in module.imports():
            path = line.module.replace(".", "/")
            reached = [a for a in APART if path.startswith(a) or f"{path}/{line.name}" == a]
            if module.is_apart and path.startswith("donorhub"):
                found += [module.where] * (not module.where.startswith(tuple(reached)))
            elif not module.is_apart and reached:
                found.append(f"{module.where}:{line.line} imports {line.module}")
    rule(found, f"{SAID}: what stands in for the outside world knows nothing of the house")


def test_packages_keep_one_vocabulary_of_files():
    found = []
    for path in sorted(HOUSE.glob("*/*")):
        package, name = path.parent.name, path.stem
        is_code = path.suffix == ".py" or (path / "__init__.py").exists()
        if is_code and package not in ANYTHING and name not in FILES | ALSO.get(package, set()):
            found.append(str(path.relative_to(HOUSE)))
    rule(found, f"{SAID}: one vocabulary of files per package: {', '.join(sorted(FILES))}")


def test_rules_know_no_database_no_flask_and_no_clock():
    banned = ("flask", "sqlalchemy", "donorhub.kit.db", "donorhub.kit.clock", "time")
    found = [
        f"{module.where}:{line.line} imports {line.module} {line.name or ''}"
        for module in modules()
        if "rules" in (*module.path.parts, module.path.stem) and module.package not in ANYTHING
        for line in module.imports()
        if line.module.split(".")[0] in banned or line.module in banned
        or (line.module == "donorhub.kit" and line.name in {"db", "clock", "now", "session"})
    ]  # fmt: skip
    rule(found, f"{SAID}: rules are pure decisions")
