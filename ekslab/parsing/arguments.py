"""What may be typed: each function checks one argument, for argparse, before anything is asked of the service.

All raise ArgumentTypeError, which ends in exit status 2 and a sentence that names the argument.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Command"]

_LAB = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_CLUSTER = re.compile(r"[0-9]{12}/[a-z0-9-]+/[0-9A-Za-z][0-9A-Za-z_-]*")
_REGION = re.compile(r"[a-z0-9-]+")
_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOST = re.compile(r"[0-9A-Za-z_-]{1,63}(\.[0-9A-Za-z_-]{1,63})*\.?|\[[0-9A-Fa-f:.]+\]")
_BACK = re.compile(r"-\d.*")


class Command(argparse.ArgumentParser):
    """One command: takes `--json` after its name, too, and tells who wants a lease to go back that it can't."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        # Suppressed, so that a command without it leaves alone what was said before the command.
        message = "print the service's answer as it is"
        self.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As always; but argparse would take `-4h` for an option, and say that something is missing."""
        self._refuse_back(args or ())
        return super().parse_known_args(args, namespace)

    def _refuse_back(self, args: Sequence[str]) -> None:
        for word in args if self.prog.endswith(" extend") else ():
            if _BACK.fullmatch(word):
                self.error(f"{word}: a lease can't go back; to be rid of the lab now: ekslab delete")


def lab(text: str) -> str:
    """A lab's name or id."""
    return _like(_LAB, text, "a lab's name or id (letters, digits, - and _)")


def cluster(text: str) -> str:
    """A watched cluster."""
    return _like(_CLUSTER, text, "ACCOUNT/REGION/NAME, for example 111122223333/us-east-1/myeks")


def account(text: str) -> str:
    """An account's number."""
    return _like(re.compile(r"[0-9]{12}"), text, "an account's number, 12 digits")


def region(text: str) -> str:
    """A region, to sign for."""
    return _like(_REGION, text, "a region, for example us-east-1")


def key(text: str) -> str:
    """What can stand in an Idempotency-Key header."""
    return _like(_HEADER, text, "letters, digits and signs of ASCII on one line")


def day(text: str) -> str:
    """A date."""
    return _like(_DAY, text, "a date, for example 2026-11-23")


def address(text: str) -> str:
    """Where the service is."""
    try:
        parts = urlsplit(text if text.isascii() and text.isprintable() and " " not in text else "")
        port_fits = parts.port != 0
    except ValueError:
        _refuse("an address such as https://abc123.execute-api.us-east-1.amazonaws.com/api", text)
    host = _HOST.fullmatch(parts.netloc.removesuffix("" if parts.port is None else f":{parts.port}"))
    if parts.scheme not in ("http", "https") or not host or not port_fits or parts.query or parts.fragment:
        _refuse("an address such as https://abc123.execute-api.us-east-1.amazonaws.com/api", text)
    return text


def _like(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        _refuse(what, text)
    return text


def _refuse(what: str, text: str) -> NoReturn:
    raise argparse.ArgumentTypeError(f"expected {what}, got {json.dumps(text)}")
