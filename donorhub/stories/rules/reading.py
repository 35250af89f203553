"""From the bytes of a partner's report to clean, numbered lines."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

MAX_BYTES = 1_000_000
MAX_LINES = 20_000
MAX_LINE = 20_000
CONTROL_SHARE = 50

_MAGIC = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a Word document or another packed file"),
    (b"\xd0\xcf\x11\xe0", "an old Word document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_LINE_ENDS = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060\ufeff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LATIN_JOINER = re.compile("(?<=[!-\u024f])[\u200c\u200d](?=[!-\u024f])")
_TYPOGRAPHIC = re.compile(
    "(?<=«)[\u00a0\u202f]|[\u00a0\u202f](?=[»:;!?%$€])|(?<=\\d)[\u00a0\u202f](?=\\d)"
)
_HARD_SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_RUN = re.compile(r"(?<=\S)[ \t]{2,}|(?<=\S)\t")


class CannotRead(ValueError):
    """The file is no report that can be read; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report, with its number in the file, counted from 1."""

    number: int
    text: str


def read_lines(data: bytes) -> tuple[list[Line], list[str]]:
    """Return the report's lines and what an editor should know; raise CannotRead.

    Hard spaces become spaces except where French typography needs them, invisible and
    direction signs go, runs of spaces shrink to one; nothing that can be read is changed.
    """
    text, warnings = decode(data)
    if _DIRECTION.search(text):
        text = _DIRECTION.sub("", text)
        warnings.append("Signs that turn the direction of the text were taken out.")
    text = unicodedata.normalize("NFC", _LATIN_JOINER.sub("", _INVISIBLE.sub("", text)))
    pieces = _LINE_ENDS.split(text)
    if len(pieces) > MAX_LINES:
        message = f"The file has {len(pieces):,} lines; a report has at most {MAX_LINES:,}."
        raise CannotRead(message)
    lines = [Line(number, _clean(piece)) for number, piece in enumerate(pieces, start=1)]
    for line in lines:
        if len(line.text) > MAX_LINE:
            message = (
                f"Line {line.number} has {len(line.text):,} characters; a paragraph has at most "
                f"{MAX_LINE:,}. Is this the text of a report?"
            )
            raise CannotRead(message)
    if not any(line.text for line in lines):
        message = "The file is empty."
        raise CannotRead(message)
    return lines, warnings


def decode(data: bytes) -> tuple[str, list[str]]:
    """Return the text of a file in UTF-8, marked UTF-16 or Windows-1252; raise CannotRead."""
    if len(data) > MAX_BYTES:
        message = f"The file has {len(data):,} bytes; a report has at most {MAX_BYTES:,}."
        raise CannotRead(message)
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            message = f"This is {kind}. Save the report as plain text or Markdown first."
            raise CannotRead(message)
    text, warnings = _decoded(data)
    controls = len(_CONTROL.findall(text))
    if "\0" in text or controls * CONTROL_SHARE > len(text):
        message = "This is not a text file. Save the report as plain text or Markdown."
        raise CannotRead(message)
    if controls:
        text = _CONTROL.sub("", text)
        warnings.append("Control characters were taken out.")
    return text, warnings


def _decoded(data: bytes) -> tuple[str, list[str]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), []
        except UnicodeDecodeError:
            message = "The file says it is UTF-16 but is not. Save it as UTF-8."
            raise CannotRead(message) from None
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        message = "The file is neither UTF-8 nor Windows text. Save it as UTF-8."
        raise CannotRead(message) from None
    return text, ["The file is not UTF-8; it was read as Windows-1252: check accents and quotes."]


def _clean(line: str) -> str:
    kept = _TYPOGRAPHIC.sub("\ue000", line.replace("\ue000", ""))
    spaced = _HARD_SPACE.sub(" ", kept)
    return _RUN.sub(" ", spaced).rstrip().replace("\ue000", "\u00a0")
