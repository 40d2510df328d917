"""The console's own files: one style sheet and a few small modules, each under an address that its content names.

Nothing is loaded from elsewhere. A file is kept by the browser for a year, since another content has another address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
PREFIX = "/console/static"
FOR_GOOD = "public, max-age=31536000, immutable"
# `import … from "./name.js"` inside of a module names a file of ours, too.
_IMPORT = re.compile(rb'(?<=")\./([a-z-]+\.js)(?=")')


@cache
def files() -> Mapping[str, bytes]:
    """Every file by its name, with imports pointing at the addresses of their contents."""
    raw = {path.name: path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _KINDS}
    done: dict[str, bytes] = {}

    def whole(name: str) -> bytes:
        if name not in done:
            done[name] = _IMPORT.sub(lambda found: _stamped(found[1].decode(), whole(found[1].decode())), raw[name])
        return done[name]

    for name in raw:
        whole(name)
    return done


def _stamped(name: str, content: bytes) -> bytes:
    return f"./{name}?v={_digest(content)}".encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def address(name: str) -> str:
    """Where a page finds the file ``name``."""
    return f"{PREFIX}/{name}?v={_digest(files()[name])}"


def kind(name: str) -> str:
    """The media type of the file ``name``."""
    return _KINDS[Path(name).suffix]
