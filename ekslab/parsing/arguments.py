"""Validators of arguments for argparse: each checks one argument before the service is called.

All raise ArgumentTypeError, which ends in exit status 2 and a sentence that names the argument.
"""

from __future__ import annotations

import argparse
import json
import re
from typing import NoReturn
from urllib.parse import urlsplit

_LAB = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_CLUSTER = re.compile(r"[0-9]{12}/[a-z0-9-]+/[0-9A-Za-z][0-9A-Za-z_-]*")
_PERSON = re.compile(r"(?!\.{1,2}$)[^\s/\x00-\x1f\x7f\ud800-\udfff]{1,254}")
_REGION = re.compile(r"[a-z0-9-]+")
_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOST = re.compile(r"[0-9A-Za-z_-]{1,63}(\.[0-9A-Za-z_-]{1,63})*\.?|\[[0-9A-Fa-f:.]+\]")
_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_TRUE, _FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})


class UsageError(Exception):
    """The arguments are valid each by itself, and wrong together."""


def lab(text: str) -> str:
    """A lab's name or id."""
    return _like(_LAB, text, "a lab's name or id (letters, digits, - and _)")


def lab_or_cluster(text: str) -> str:
    """A lab's name or id, or a watched cluster."""
    return cluster(text) if "/" in text else lab(text)


def cluster(text: str) -> str:
    """A watched cluster."""
    return _like(_CLUSTER, text, "ACCOUNT/REGION/NAME, for example 111122223333/us-east-1/myeks")


def account(text: str) -> str:
    """An account's number."""
    return _like(re.compile(r"[0-9]{12}"), text, "an account's number, 12 digits")


def person(text: str) -> str:
    """A user's or a session's name, or an address."""
    return _like(_PERSON, text, "a user's or a session's name, or an address")


def region(text: str) -> str:
    """A region, to sign for."""
    return _like(_REGION, text, "a region, for example us-east-1")


def key(text: str) -> str:
    """A value of an Idempotency-Key header."""
    return _like(_HEADER, text, "letters, digits and signs of ASCII on one line")


def day(text: str) -> str:
    """A date."""
    return _like(_DAY, text, "a date, for example 2026-11-23")


def switch(text: str) -> bool:
    """True or false, as pflag reads them."""
    if text.lower() not in _TRUE | _FALSE:
        _refuse("true or false", text)
    return text.lower() in _TRUE


def number(text: str) -> int:
    """A whole number, not negative."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        _refuse("a whole number", text)
    return int(text)


def words(text: str) -> list[str]:
    """Texts between commas."""
    found = [part.strip() for part in text.split(",")]
    if not all(found):
        _refuse("texts between commas", text)
    return found


def pairs(text: str) -> dict[str, str]:
    """`k1=v1,k2=v2`."""
    found = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and sign for name, sign, _ in found):
        _refuse("k1=v1,k2=v2", text)
    return {name.strip(): value.strip() for name, _, value in found}


def duration(text: str) -> float:
    """Seconds of `25m0s`, `1h`, `90s`."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        _refuse("a duration, for example 25m0s", text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600.0 + minutes * 60 + seconds


def lab_of(options: argparse.Namespace) -> str:
    """The lab that was named, as an argument or by a flag. Raises UsageError."""
    given = [one for one in (options.lab_argument, options.lab_flag) if one is not None]
    if len(given) != 1:
        raise UsageError("name the lab once: by its name or its id")
    return str(given[0])


def address(text: str) -> str:
    """The service's address."""
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
