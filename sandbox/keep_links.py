"""The links of mails, followed as a browser or a mail scanner does: unsigned; only the button sends a POST."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping

from sandbox.mailbox import Mail, sent_mails
from sandbox.people import TIMEOUT, HttpAnswer, Person
from sandbox.stage import Impatient, Stage

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def link_in(mail: Mail) -> str | None:
    """The keep-link of a warning, None if it has none."""
    found = re.search(r"https?://\S+/keep/\S+", mail.body)
    return found.group() if found else None


def open_link(url: str) -> HttpAnswer:
    """The page of the link, refusals included."""
    return _answered(urllib.request.Request(url))


def press_button(url: str, form: bytes = b"") -> HttpAnswer:
    """The result of its page's button: a form's body, empty unless the button has a value."""
    return _answered(urllib.request.Request(url, form, _FORM, method="POST"))


def confirm_address(stage: Stage, person: Person, address: str, language: str) -> None:
    """Set a person's mail address, and press the button behind the link of the confirmation mail."""
    asked = stage.call(person, "PUT", "/me", {"address": address, "language": language})
    found = [
        link.group()
        for mail in sent_mails(stage.sandbox)
        if mail.address == address and (link := re.search(r"https?://\S+/confirm/\S+", mail.text))
    ]
    if asked.status != 200 or not found:
        raise Impatient(f"PUT /me was answered with {asked.status}, and {len(found)} mails came: {asked.body!r}")
    press_button(found[-1], b"answer=yes")
    if stage.call(person, "GET", "/me").json["address"] != address:
        raise Impatient(f"{address} is not confirmed")


def _answered(request: urllib.request.Request) -> HttpAnswer:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return HttpAnswer(answer.status, _lowered(dict(answer.headers)), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, _lowered(dict(error.headers)), error.read())


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
