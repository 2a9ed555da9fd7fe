"""The link in a curfew warning, followed as a browser or a mail scanner does: unsigned; only the button sends a POST."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping

from sandbox.mailbox import Mail
from sandbox.people import TIMEOUT, HttpAnswer

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def link_in(mail: Mail) -> str | None:
    """The keep-link of a warning, None if it has none."""
    found = re.search(r"https?://\S+/keep/\S+", mail.body)
    return found.group() if found else None


def open_link(url: str) -> HttpAnswer:
    """What opening it shows, refusals included."""
    return _answered(urllib.request.Request(url))


def press_button(url: str) -> HttpAnswer:
    """What the button of its page brings: a form's empty body."""
    return _answered(urllib.request.Request(url, b"", _FORM, method="POST"))


def _answered(request: urllib.request.Request) -> HttpAnswer:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return HttpAnswer(answer.status, _lowered(dict(answer.headers)), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, _lowered(dict(error.headers)), error.read())


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
