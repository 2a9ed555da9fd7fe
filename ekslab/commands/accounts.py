"""The commands over the registry of accounts: which are watched, and which take labs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ekslab.client import Client
from ekslab.commands.answers import message, refused
from ekslab.parsing import arguments
from ekslab.printing.tables import table

if TYPE_CHECKING:
    from ekslab.parsing.arguments import Commands


def add_accounts(below: Commands) -> None:
    """Add its commands."""
    below.add_parser("accounts", help="which accounts are watched, and which take labs").set_defaults(run=accounts)
    put = below.add_parser("register", help="watch an account, or make labs in it; in full each time (administrators)")
    put.add_argument("account", type=arguments.account, help="its number")
    put.add_argument(
        "--in", dest="regions", action="append", required=True, metavar="REGION", help="where; may be repeated"
    )
    put.add_argument("--role-arn", dest="roleArn", help="the role to enter it by; none for the service's own account")
    put.add_argument("--labs", action="store_true", help="labs may be made in it")
    put.add_argument("--name", help="what people call it")
    put.add_argument("--owner", help="who hears of clusters whose tags name nobody")
    put.add_argument("--team", help="and which team")
    put.set_defaults(run=register)
    gone = below.add_parser("unregister", help="watch it no longer (administrators)")
    gone.add_argument("account", type=arguments.account, help="its number")
    gone.set_defaults(run=unregister)


def accounts(client: Client, options: argparse.Namespace) -> int:
    """All accounts of the registry."""
    answer = client.call("GET", "/accounts")
    return message(options, answer.body, lines(answer.body["accounts"])) if answer.ok else refused(answer, options)


def register(client: Client, options: argparse.Namespace) -> int:
    """Register an account; what is not said goes back to its default."""
    fields = ("regions", "roleArn", "labs", "name", "owner", "team")
    body = json.dumps({name: getattr(options, name) for name in fields if getattr(options, name) is not None})
    answer = client.call("PUT", f"/accounts/{options.account}", body.encode(), {"Content-Type": "application/json"})
    return message(options, answer.body, lines([answer.body])) if answer.ok else refused(answer, options)


def unregister(client: Client, options: argparse.Namespace) -> int:
    """Take an account out of the registry."""
    answer = client.call("DELETE", f"/accounts/{options.account}")
    gone = iter([f"{options.account} is registered no longer."])
    return message(options, answer.body, gone) if answer.ok else refused(answer, options)


def lines(found: Sequence[Any]) -> Iterator[str]:
    """One line an account. Role, name and who is told are there for administrators only."""
    rows = [
        (one["account"], "yes" if one["labs"] else "no", " ".join(one["regions"]), one.get("name"), one.get("owner"))
        for one in found
    ]
    yield from table(("ACCOUNT", "LABS", "REGIONS", "NAME", "OWNER"), rows)
