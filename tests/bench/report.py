"""What the figures are held against, and how they are told."""

from __future__ import annotations

from typing import Any, NamedTuple


class Promise(NamedTuple):
    """One line of the report: what was found, what was asked for, whether that holds."""

    what: str
    found: str
    wanted: str
    kept: bool


def promises(found: dict[str, Any]) -> list[Promise]:
    """Return the promises that this run could check."""
    kept: list[Promise] = []
    for part, tell in (
        ("start", _start),
        ("gifts", _gifts),
        ("pages", _pages),
        ("weight", _weight),
        ("last-dollars", _last_dollars),
    ):
        if part in found:
            kept += tell(found[part])
    return kept


def _start(part: dict[str, Any]) -> list[Promise]:
    return [_at_most("second start of `make run`", part["warm_seconds"], 10, "s")]


def _gifts(part: dict[str, Any]) -> list[Promise]:
    broken = len(part["broken_promises"])
    refused = sum(part["refused"].values())
    return [
        _at_least("matched ÷ unmatched gifts", part["ratio"], 0.95),
        _at_least("matched gifts a second", part["matched_a_second"], 300),
        _none("broken promises after the gifts", broken),
        _none("gifts not accepted", refused),
        _at_most(
            f"connections for {part['donors_at_once']} donors",
            part["connections_at_most"],
            part["connections_allowed"],
            "",
        ),
    ]


def _pages(part: dict[str, Any]) -> list[Promise]:
    memory = part["from_memory"]
    return [
        _at_least("story page ÷ bare Flask", memory["story_ratio"], 0.5),
        _at_least("campaign page ÷ bare Flask", memory["campaign_ratio"], 0.5),
        _at_most("first render, worst p95", part["first_render"]["worst_p95_ms"], 30, "ms"),
    ]


def _weight(part: dict[str, Any]) -> list[Promise]:
    return [
        _at_most("story page without pictures", part["story_bytes_on_the_wire"], 40_000, "B"),
        _at_most("own JavaScript, raw", part["own_javascript_bytes"], 15_000, "B"),
        _at_most("CSS, raw", part["css_bytes"], 30_000, "B"),
        _none("third-party requests", len(part["third_party_requests"])),
    ]


def _last_dollars(part: dict[str, Any]) -> list[Promise]:
    rounds = part["rounds"]
    return [
        _none(f"overdrawn pools in {rounds} rounds", len(part["overdrawn"])),
        _none(f"stranded cents in {rounds} rounds", len(part["stranded"])),
        _none("gifts that failed", len(part["failed"])),
        _none("broken promises after the rounds", len(part["broken_promises"])),
    ]


def _at_least(what: str, value: float, wanted: float) -> Promise:
    return Promise(what, f"{value:.2f}", f"≥ {wanted:g}", value >= wanted)


def _at_most(what: str, value: float, wanted: float, unit: str) -> Promise:
    number = f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
    limit = f"≤ {wanted:,} {unit}".strip()
    return Promise(what, f"{number} {unit}".strip(), limit, value <= wanted)


def _none(what: str, count: int) -> Promise:
    return Promise(what, str(count), "0", count == 0)


def text(found: dict[str, Any], kept: list[Promise]) -> str:
    """Write the report for a terminal."""
    lines = [f"\nLoad of the machine {found['load_before']:.1f} → {found['load_after']:.1f}\n"]
    for promise in kept:
        sign = "✓" if promise.kept else "✗"
        lines.append(f"  {sign} {promise.what:<38} {promise.found:>12}   ({promise.wanted})")
    return "\n".join([*lines, "", *_beside(found)])


def _beside(found: dict[str, Any]) -> list[str]:
    """Return the absolute numbers: they say something about this machine only."""
    lines = []
    if gifts := found.get("gifts"):
        costs = ", ".join(f"{k} {v:.1f}" for k, v in gifts["cpu_ms_a_matched_gift"].items())
        lines.append(
            f"  gifts a second: {gifts['matched_a_second']:.0f} matched, "
            f"{gifts['plain_a_second']:.0f} unmatched; on one row of a pool "
            f"{gifts['one_row_a_second']:.0f} ({gifts['one_row_ratio']:.2f})"
        )
        others = gifts["share_of_others_on_this_machine"]
        lines.append(
            f"  processor ms a matched gift: {costs}; other programs took {others:.0%} of what "
            "the machine did"
        )
    if pages := found.get("pages"):
        memory = pages["from_memory"]
        lines.append(
            f"  a second: bare Flask {memory['hello_a_second']:.0f}, home "
            f"{memory['home_a_second']:.0f}, story {memory['story_a_second']:.0f}, "
            f"campaign {memory['campaign_a_second']:.0f}"
        )
    if last := found.get("last-dollars"):
        lines.append(
            f"  last dollars: {last['gifts']:,} gifts, {last['gifts_told_none_or_partly']:,} told "
            f"none or partly, {last['rounds_a_second']:.1f} rounds a second"
        )
    return lines
