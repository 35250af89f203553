"""Sizes, and the things that stand in exactly one place."""

from __future__ import annotations

import re

from tests.architecture.code import ROOT, called, files, lines, modules, rule

LARGEST_MODULE, LARGEST_TEST, LARGEST_TEMPLATE, LARGEST_STYLESHEET = 400, 500, 150, 200
SOFT_FUNCTION, LONGEST_FUNCTION = 50, 60
LONG_FUNCTIONS = 8
STRIPE_OBJECTS = "donorhub/payments/simulator/objects.py"  # one function is one JSON object
MIGRATES = "donorhub/kit/cli.py"
MINUTES = re.compile(r"\b(time\.time|datetime\.(now|utcnow|today)|date\.today)\(")
OWN_CLOCK = {
    "donorhub/kit/clock.py",
    "donorhub/kit/limits.py",  # the limits library counts by the machine's seconds
}
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|\boklch\(")
PIXELS = re.compile(r"(?<![\w.-])\d*\.?\d+px\b")
OWN_VALUES = {"tokens.css", "letters.css", "site.css"}  # mail programs know no variables
INLINE = re.compile(
    r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<script(?![^>]*\bsrc=)|javascript:", re.IGNORECASE
)
SAFE = re.compile(r"\|\s*safe\b|autoescape\s+false")


def too_big(paths, most):
    return [f"{p.relative_to(ROOT)}: {n} lines" for p in paths if (n := lines(p)) > most]


def test_a_source_file_has_at_most_400_lines():
    rule(too_big(files("donorhub", "*.py"), LARGEST_MODULE), "sizes: make it a folder of its name")


def test_a_test_file_has_at_most_500_lines():
    rule(too_big(files("tests", "*.py"), LARGEST_TEST), "sizes: divide it by what it tests")


def test_a_template_has_at_most_150_lines():
    found = [*files("templates", "*.html"), *files("templates", "*.txt")]
    rule(too_big(found, LARGEST_TEMPLATE), "sizes: take a component out")


def test_a_stylesheet_has_at_most_200_lines():
    rule(too_big(files("static/css", "*.css"), LARGEST_STYLESHEET), "sizes: one file a component")


def test_a_function_has_at_most_60_lines_and_few_have_more_than_50():
    sizes = {
        f"{module.where}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module in modules(apart=True)
        for node in module.functions()
        if module.where != STRIPE_OBJECTS
    }
    long = [f"{where}: {n} lines" for where, n in sizes.items() if n > LONGEST_FUNCTION]
    rule(long, "sizes: a function says one thing")
    soft = [f"{where}: {n} lines" for where, n in sizes.items() if n > SOFT_FUNCTION]
    assert len(soft) <= LONG_FUNCTIONS, f"sizes: {soft} say too much"


def test_exactly_one_place_commits():
    found = [
        f"{module.where}:{call.lineno}"
        for module in modules()
        for call in module.calls()
        if called(call) == "commit" and module.where != MIGRATES
    ]
    assert len(found) == 1, f"unit of work: only kit.db.unit_of_work commits, not {found}"
    assert found[0].startswith("donorhub/kit/db.py")


def test_no_money_is_ever_a_float():
    found = [
        f"{module.where}:{call.lineno}"
        for module in modules()
        for call in module.calls()
        if called(call) == "float"
    ]
    rule(found, "money: an integer of minor units, never float()")


def test_only_the_payments_package_knows_stripe():
    found = [
        f"{module.where}:{line.line}"
        for module in modules()
        for line in module.imports()
        if line.module.split(".")[0] == "stripe" and module.package != "payments"
    ]
    rule(found, "payments: the only package that knows Stripe")


def test_time_comes_from_one_clock():
    found = [
        f"{module.where}: {match[0]}"
        for module in modules()
        if module.where not in OWN_CLOCK
        for match in MINUTES.finditer(module.text)
    ]
    rule(found, "clock: donorhub.kit.clock.now() is the only clock")


def test_markup_is_made_only_by_the_sanitiser_and_of_our_own_stylesheet():
    found = {
        module.where for module in modules() for call in module.calls() if called(call) == "Markup"
    }
    allowed = {"donorhub/kit/text.py", "donorhub/mail/service/writing.py"}
    assert found <= allowed, f"text: kit.text.render_markdown alone makes Markup, not {found}"


def test_templates_switch_no_escaping_off_and_hold_no_inline_script_or_style():
    found = []
    for path in [*files("templates", "*.html"), *files("donorhub", "*.html")]:
        text = path.read_text(encoding="utf-8")
        found += [
            f"{path.relative_to(ROOT)}: {match[0].strip()}"
            for pattern in (SAFE, INLINE)
            for match in pattern.finditer(text)
        ]
    rule(found, "templates: no |safe, no inline script, no style=, no on…=")


def test_colours_and_pixels_stand_in_the_tokens_only():
    found = []
    for path in files("static/css", "*.css"):
        if path.name in OWN_VALUES:
            continue
        text = re.sub(r"/\*.*?\*/|@(media|container)[^{]*", "", path.read_text(), flags=re.DOTALL)
        found += [f"{path.name}: {m[0]}" for m in (*COLOUR.finditer(text), *PIXELS.finditer(text))]
    rule(found, "look: every colour and pixel is a token of tokens.css")
