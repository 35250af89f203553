"""`make bench`: run the benchmarks, say what they found, keep it in INSTANCE_DIR/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import gifts, lastdollars, pages, report
from tests.bench.site import Site, forget, running_site

PARTS = ("start", "gifts", "pages", "weight", "last-dollars")


def main() -> int:
    """Return 0 if every promise was kept, else 1."""
    wish = _parser().parse_args()
    parts = wish.only.split(",") if wish.only else list(PARTS)
    instance = Path(os.environ.get("INSTANCE_DIR") or "instance").resolve()
    found: dict[str, Any] = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    found |= {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], "quick": wish.quick}
    if any(part != "last-dollars" for part in parts):
        found |= _on_the_site(instance / "bench", parts, quick=wish.quick)
    if "last-dollars" in parts:
        rounds = wish.rounds or (50 if wish.quick else 1000)
        _say(f"{lastdollars.DONORS} donors on the last $100 of a pool, {rounds} times")
        found["last-dollars"] = lastdollars.measure(rounds=rounds)
    found["load_after"] = os.getloadavg()[0]
    promises = report.promises(found)
    found["promises"] = [promise._asdict() for promise in promises]
    instance.mkdir(parents=True, exist_ok=True)
    (instance / "bench.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(report.text(found, promises))
    print(f"\nAll figures: {instance / 'bench.json'}")
    return 0 if all(promise.kept for promise in promises) else 1


def _on_the_site(folder: Path, parts: list[str], *, quick: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    forget(folder)
    if "start" in parts:
        _say("the first start of the demo, then the second")
        with running_site(folder) as site:
            found["start"] = {"first_seconds": site.started_in}
    with running_site(folder) as site:
        found.setdefault("start", {})["warm_seconds"] = site.started_in
        for name, measure in _measures(site, quick=quick).items():
            if name in parts:
                _say(f"{name} …")
                found[name] = measure()
        if "gifts" in found:
            found["gifts"]["broken_promises"] = gifts.drift(site)
    forget(folder)
    return found


def _measures(site: Site, *, quick: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return the measures in an order in which none disturbs the next: reading before giving."""
    return {
        "weight": lambda: pages.weight(site),
        "pages": lambda: {
            "from_memory": pages.quickness(
                site, seconds=2 if quick else 5, rounds=2 if quick else 3
            ),
            "first_render": pages.first_render(site, samples=50 if quick else 200),
        },
        "gifts": lambda: gifts.measure(site, each=4 if quick else 10, rounds=2 if quick else 6),
    }


def _say(words: str) -> None:
    print(f"… {words} (load {os.getloadavg()[0]:.1f})", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of eight")
    parser.add_argument("--only", default="", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of the last dollars")
    return parser


if __name__ == "__main__":
    sys.exit(main())
