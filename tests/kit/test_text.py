"""Text that people wrote never becomes anything but text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorhub.kit import one_line, render_markdown

HARMLESS = re.compile(
    r"</?(p|h[234]|blockquote|em|strong|ul|ol|li|br|hr)\s*/?>|</a>"
    r'|<a( href="(https://|mailto:)[^"<>]*")?( rel="nofollow noopener")?>'
)
HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "<p style='position:fixed'>over everything</p>", "<iframe src=//evil.example></iframe>",
    "[click](javascript:alert(1))", "[click](JaVaScRiPt:alert(1))", "[click](java\tscript:x)",
    "[click](&#106;avascript:alert(1))", "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:x)", "[click](//evil.example)", "[click](/staff/)", "[click](\\\\evil)",
    "[click](http://insecure.example)", "<javascript:alert(1)>", "![x](https://evil.example/t.gif)",
    "[a]: javascript:alert(1)\n\n[a]", "`<script>`", "```\n<script>\n```", "    <script>x</script>",
    "<a href='https://x.example' onclick='x()'>x</a>", "<!--><script>x</script>-->",
    '[x](https://a.example/"onmouseover="alert(1))', "<style>*{display:none}</style>",
    "<form action=//evil.example><input name=card></form>", "<math><mtext></p><script>",
]  # fmt: skip


def only_harmless(html: str) -> bool:
    return "<" not in HARMLESS.sub("", html)


@pytest.mark.parametrize("source", HOSTILE)
def test_markup_in_a_text_stays_text(source):
    html = str(render_markdown(source))
    assert only_harmless(html), html
    for scheme in ("javascript:", "data:", "vbscript:", 'href="/', 'href="http:'):
        assert f'href="{scheme}' not in html.lower()


@given(
    st.text(alphabet=st.sampled_from("<>/\"'=`[]()!&#;:*_ \n\tascriptonhrefjv/\\0"), max_size=80)
)
def test_no_text_at_all_becomes_an_element_of_its_own(source):
    assert only_harmless(str(render_markdown(source)))


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("One.\n\nTwo *now*.", "<p>One.</p>\n<p>Two <em>now</em>.</p>\n"),
        ("> Said.", "<blockquote>\n<p>Said.</p>\n</blockquote>\n"),
        ("## Later", "<h2>Later</h2>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("[w](mailto:a@b.example)",
         '<p><a href="mailto:a@b.example" rel="nofollow noopener">w</a></p>\n'),
        ("5 < 6 & 7", "<p>5 &lt; 6 &amp; 7</p>\n"),
    ],
)  # fmt: skip
def test_what_a_writer_means_is_shown(source, html):
    assert str(render_markdown(source)) == html


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Maya\r\nBcc: all@example.org", "Maya Bcc: all@example.org"), ("  a \t b ", "a b"),
        ("A\u202eB", "AB"), ("n\u200b\ufeffo", "no"), ("Zoe\u0308", "Zoë"), ("a\x00b", "a b"),
        ("a\u2028b", "a b"), ("\ue000x", "x"), ("👩‍🚒", "👩‍🚒"), ("abcdef", "abcde"), ("", ""),
    ],
)  # fmt: skip
def test_a_line_is_one_line_of_visible_signs(typed, kept):
    assert one_line(typed, 50 if typed != "abcdef" else 5) == kept


@given(st.text(max_size=60), st.integers(0, 40))
def test_cleaning_a_line_twice_changes_nothing(typed, longest):
    once = one_line(typed, longest)
    assert one_line(once, longest) == once.strip()
    assert len(once) <= longest
    assert not any(ord(sign) < 32 for sign in once)
