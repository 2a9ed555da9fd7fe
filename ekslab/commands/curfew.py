"""The commands about curfew: leases, schedules, idleness, tonight's plan, and the stop switch."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ekslab.client import Answer, Client
from ekslab.commands.answers import Lines, answered, fit, refused
from ekslab.commands.labs import under_way
from ekslab.commands.naming import path_of
from ekslab.parsing.arguments import lab_of
from ekslab.printing import curfew as curfew_printing
from ekslab.printing import labs as labs_printing

_SPAN = re.compile(r"(\d{1,4})([hd])")
#: The hours of each unit of a time span.
_HOURS = {"h": 1, "d": 24}
_WANTED = {"hibernate": "hibernated", "wake": "ready"}


def extend(client: Client, options: argparse.Namespace) -> int:
    """Extend a lab's lease, by hours or days or until an instant."""
    return _said(client, options, "POST", "extend", options.by, curfew_printing.extension)


def protect(client: Client, options: argparse.Namespace) -> int:
    """Protect a lab from curfew until an instant, or end its protection."""
    body = {"until": None} if options.until == "no" else {"until": options.until, "why": options.why or ""}
    return _said(client, options, "POST", "protect", body, lambda view: curfew_printing.schedule(view, fit(options)))


def leftovers(client: Client, options: argparse.Namespace) -> int:
    """Confirm that resources a lab left behind stay; print its receipt."""
    body = {"keep": options.keep}
    return _said(client, options, "POST", "leftovers", body, lambda view: labs_printing.receipt(view, fit(options)))


def schedule(client: Client, options: argparse.Namespace) -> int:
    """Show a lab's curfew schedule, or change the given fields."""
    path = path_of(client, options.lab)
    answer = path if isinstance(path, Answer) else client.call("GET", path)
    if isinstance(path, Answer) or not answer.ok:
        return refused(answer, options)
    changed = {name: getattr(options, name) for name in _EVENING if getattr(options, name) is not None}
    if not changed:
        return answered(options, answer, lambda view: curfew_printing.schedule(view, fit(options)))
    body = {**answer.body["schedule"], **{name: None if value == "no" else value for name, value in changed.items()}}
    sent = _send(client, "PUT", f"{path}/schedule", body)
    return answered(options, sent, lambda view: curfew_printing.schedule(view, fit(options)))


def sleep_or_wake(client: Client, options: argparse.Namespace) -> int:
    """Hibernate a lab, or wake it; with --watch, wait until it is done."""
    path = path_of(client, options.lab)
    if isinstance(path, Answer):
        return refused(path, options)
    answer = client.call("POST", f"{path}/{options.what}")
    return under_way(client, options, answer, frozenset({_WANTED[options.what]}))


def verdict(client: Client, options: argparse.Namespace) -> int:
    """Whether a lab is idle, and why."""
    path = path_of(client, lab_of(options), "verdict", options.region)
    answer = path if isinstance(path, Answer) else client.call("GET", path)
    return answered(options, answer, lambda view: curfew_printing.verdict(view, fit(options)))


def plan(client: Client, options: argparse.Namespace) -> int:
    """Tonight's plan, or another night's."""
    path = f"/plan/{quote(options.date, safe='')}" if options.date else "/plan"
    return answered(options, client.call("GET", path), lambda view: curfew_printing.plan(view, fit(options)))


def release(client: Client, options: argparse.Namespace) -> int:
    """Release a held night's plan, as published with this hash."""
    answer = _send(client, "POST", f"/plan/{options.date}/release", {"hash": options.hash})
    return answered(options, answer, lambda view: curfew_printing.plan(view, fit(options)))


def curfew(client: Client, options: argparse.Namespace) -> int:
    """Show the rules of curfew, or change them: the stop switch, and numbers as NAME=NUMBER."""
    changes: dict[str, Any] = dict(options.set or ())
    if options.mode:
        changes["mode"] = options.mode
    answer = _send(client, "PUT", "/curfew", changes) if changes else client.call("GET", "/curfew")
    return answered(options, answer, curfew_printing.rules)


def span(text: str) -> dict[str, Any]:
    """`4h`, `2d`, or an instant, in the service's form. Raises ArgumentTypeError."""
    if found := _SPAN.fullmatch(text):
        return {"hours": int(found[1]) * _HOURS[found[2]]}
    if "T" in text:
        return {"until": text}
    raise argparse.ArgumentTypeError(
        f"expected 4h, 2d or an instant such as 2026-12-01T00:00:00Z, got {json.dumps(text)}"
    )


def setting(text: str) -> tuple[str, int]:
    """`maxPercent=50`. Raises ArgumentTypeError."""
    name, _, number = text.partition("=")
    if not name or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER, for example maxPercent=50, got {json.dumps(text)}")
    return name, int(number)


def listed(text: str) -> list[str]:
    """`mon,tue`; empty for `no`."""
    return [] if text == "no" else [part.strip() for part in text.split(",")]


_EVENING = ("timeZone", "curfew", "weekdays", "holidays", "quietDates", "atCurfew", "wake")


def _said(client: Client, options: argparse.Namespace, method: str, part: str, body: Any, lines: Lines) -> int:
    path = path_of(client, options.lab, part)
    return answered(options, path if isinstance(path, Answer) else _send(client, method, path, body), lines)


def _send(client: Client, method: str, path: str, body: Mapping[str, Any]) -> Answer:
    return client.call(method, path, json.dumps(body).encode(), {"Content-Type": "application/json"})
