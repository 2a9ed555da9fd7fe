"""The commands over the registry of accounts: watched ones, and those that take labs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.client import Client
from ekslab.commands.answers import answered, fit
from ekslab.printing.tables import table
from ekslab.words import t


def accounts(client: Client, options: argparse.Namespace) -> int:
    """All accounts of the registry."""
    answer = client.call("GET", "/accounts")
    return answered(options, answer, lambda body: lines(body["accounts"], fit(options)))


def register(client: Client, options: argparse.Namespace) -> int:
    """Register an account; omitted values go back to their defaults."""
    fields = ("regions", "roleArn", "labs", "name", "owner", "team")
    body = json.dumps({name: getattr(options, name) for name in fields if getattr(options, name) is not None})
    answer = client.call("PUT", f"/accounts/{options.account}", body.encode(), {"Content-Type": "application/json"})
    return answered(options, answer, lambda body: lines([body], fit(options)))


def unregister(client: Client, options: argparse.Namespace) -> int:
    """Take an account out of the registry."""
    answer = client.call("DELETE", f"/accounts/{options.account}")
    return answered(options, answer, lambda _: iter([t("{account} is registered no longer.", account=options.account)]))


def lines(found: Sequence[Any], fit: int | None = None) -> Iterator[str]:
    """One line an account. Role, name and recipients are shown to administrators only."""
    rows = [
        (one["account"], "yes" if one["labs"] else "no", " ".join(one["regions"]), one.get("name"), one.get("owner"))
        for one in found
    ]
    yield from table(("ACCOUNT", "LABS", "REGIONS", "NAME", "OWNER"), rows, fit, keep=("ACCOUNT", "LABS"))
