"""The command about what labs may use of the account: everyone looks, administrators change it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ekslab.client import Client
from ekslab.commands.answers import answered
from ekslab.printing import curfew as printing


def offers(client: Client, options: argparse.Namespace) -> int:
    """Show the list, or change parts of it; what is not named stays as it is."""
    changes = dict(options.set or ())
    if not changes:
        return answered(options, client.call("GET", "/offers"), printing.offers)
    headers = {"Content-Type": "application/json"}
    return answered(options, client.call("PUT", "/offers", json.dumps(changes).encode(), headers), printing.offers)


def part(text: str) -> tuple[str, Any]:
    """`keyPairs=["course"]`. Raises ArgumentTypeError."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError as reason:
        expected = "NAME=JSON, for example 'keyPairs=[\"course\"]'"
        raise argparse.ArgumentTypeError(f"expected {expected}, got {json.dumps(text)}") from reason
