"""The page's own files: styles, script and icon. Text only, so that API Gateway passes them unchanged; browsers cache them for
ever, under an address that changes with the content.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from chalice import NotFoundError, Response

_FOLDER = Path(__file__).parent / "static"
KINDS = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml; charset=utf-8",
}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def address(name: str) -> str:
    """The file's path below `/ui/`, with a hash of its content."""
    return f"static/{name}?v={hashlib.sha256(_content(name).encode()).hexdigest()[:12]}"


def asset(name: str) -> Response:
    """The file. Raises NotFoundError."""
    if name not in KINDS:
        raise NotFoundError("There is no such file.")
    return Response(_content(name), headers={**_HEADERS, "Content-Type": KINDS[name]})


@cache
def _content(name: str) -> str:
    return (_FOLDER / name).read_text()
