"""Static files: joined, hashed and compressed once, so browsers keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask
from whitenoise import WhiteNoise

SOURCES = ("css", "js", "fonts", "pictures")
COMPRESSED = {".css", ".js", ".svg", ".txt"}
IMMUTABLE = re.compile(r"\.[0-9a-f]{12}(\.|/)")
_IMPORT = re.compile(
    r'@import\s+(?:url\()?"(?P<path>[^"]+)"\)?\s*(?:layer\((?P<layer>[\w.-]+)\))?\s*;'
)
_URL = re.compile(r'url\("?(?P<path>[^")]+)"?\)')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_GAPS = re.compile(r"\s*\n\s*")


def build(static: Path) -> dict[str, str]:
    """Write ``static/build`` afresh and return its manifest (source path → built path)."""
    target = static / "build"
    with tempfile.TemporaryDirectory(dir=static) as scratch:
        made = Path(scratch) / "build"
        made.mkdir()
        manifest = dict(_copies(static, made))
        manifest |= dict(_modules(static, made))
        manifest["css/site.css"] = _stylesheet(static, made, manifest)
        for file in [path for path in made.rglob("*") if path.suffix in COMPRESSED]:
            file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))
        content = json.dumps({"sources": _newest(static), "files": manifest}, indent=1)
        (made / "manifest.json").write_text(content)
        old = Path(scratch) / "old"
        if target.exists():
            target.rename(old)
        made.rename(target)
    return manifest


def ensure_built(static: Path) -> dict[str, str]:
    """Return the manifest, building first if a source changed since."""
    manifest = static / "build" / "manifest.json"
    if manifest.exists():
        known = json.loads(manifest.read_text())
        if known["sources"] == _newest(static):
            files: dict[str, str] = known["files"]
            return files
    return build(static)


def init_app(app: Flask, static: Path) -> None:
    """Serve the built files before Flask is asked, and name them for templates."""
    manifest = ensure_built(static)

    def asset(path: str) -> str:
        return "/static/" + manifest[path]

    app.jinja_env.globals["asset"] = asset
    app.extensions["asset"] = asset
    served: Callable[..., object] = app.wsgi_app
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        served,
        root=str(static / "build"),
        prefix="static/",
        max_age=3600,
        immutable_file_test=lambda _path, url: bool(IMMUTABLE.search(url)),
        add_headers_function=_headers,
    )


def _headers(headers: dict[str, str], _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"


def _newest(static: Path) -> str:
    """Describe the sources by name, size and time, so that any change is noticed."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for file in sorted((static / folder).rglob("*")):
            if file.is_file():
                stat = file.stat()
                name = file.relative_to(static)
                digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _hashed_name(relative: Path, content: bytes) -> Path:
    return relative.with_name(f"{relative.stem}.{_hash(content)}{relative.suffix}")


def _copies(static: Path, made: Path) -> Iterator[tuple[str, str]]:
    for folder in ("fonts", "pictures"):
        for file in sorted((static / folder).rglob("*")):
            if file.is_file() and file.suffix not in {".md", ".txt"}:
                relative = file.relative_to(static)
                name = _hashed_name(relative, file.read_bytes())
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, made / name)
                yield str(relative), str(name)


def _modules(static: Path, made: Path) -> Iterator[tuple[str, str]]:
    """Serve all scripts from one folder named by their common hash: imports stay relative."""
    files = sorted((static / "js").rglob("*.js"))
    digest = _hash(b"".join(str(file.name).encode() + file.read_bytes() for file in files))
    for file in files:
        relative = file.relative_to(static / "js")
        name = Path(f"js.{digest}") / relative
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, made / name)
        yield f"js/{relative}", str(name)


def _stylesheet(static: Path, made: Path, manifest: dict[str, str]) -> str:
    css = _joined(static / "css" / "site.css")

    def hashed(match: re.Match[str]) -> str:
        path = match["path"].removeprefix("../")
        return f'url("/static/{manifest[path]}")' if path in manifest else match[0]

    content = _GAPS.sub("\n", _URL.sub(hashed, _COMMENT.sub("", css))).strip().encode()
    name = _hashed_name(Path("css/site.css"), content)
    (made / name).parent.mkdir(parents=True, exist_ok=True)
    (made / name).write_bytes(content)
    return str(name)


def _joined(file: Path) -> str:
    def imported(match: re.Match[str]) -> str:
        body = _joined(file.parent / match["path"])
        return f"@layer {match['layer']} {{\n{body}\n}}" if match["layer"] else body

    return _IMPORT.sub(imported, file.read_text(encoding="utf-8"))
