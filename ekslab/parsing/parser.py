"""The whole command line. Verbs are eksctl's where eksctl has one."""

from __future__ import annotations

import argparse
from typing import Any

import ekslab
from ekslab.commands import completion, dashboard, health, offers
from ekslab.parsing import arguments
from ekslab.parsing.clusters import add_account_verbs, add_cluster_verbs
from ekslab.parsing.command import Command, Commands, add_common
from ekslab.parsing.curfew import add_curfew_verbs
from ekslab.parsing.labs import add_lab_verbs
from ekslab.parsing.people import add_people_verbs

_VERBS = {
    "create": "ask for a lab, or an address of your calendar",
    "get": "list labs, their parts, versions, plans, notices",
    "describe": "one lab, or one watched cluster, whole",
    "update": "change endpoint access",
    "scale": "change the number of nodes",
    "apply": "keep a roster of people",
    "delete": "let a lab go, or forget a person",
    "utils": "the kubeconfig",
}


def parser() -> Command:
    """The whole command line."""
    top = Command(
        prog="ekslab",
        description="Self-service EKS lab clusters that clean up after themselves.",
        example="ekslab create cluster --name myeks --node-type=t3.medium",
        common=False,
    )
    add_common(top, None)
    top.add_argument("--version", action="version", version=f"ekslab {ekslab.__version__}")
    commands = top.add_subparsers(dest="verb", required=True, metavar="command", parser_class=Command)
    verbs = {verb: _nouns(commands, verb, what) for verb, what in _VERBS.items()}
    add_lab_verbs(verbs)
    add_cluster_verbs(commands, verbs)
    add_account_verbs(commands, verbs)
    add_curfew_verbs(commands, verbs)
    add_people_verbs(commands, verbs)
    _add_costs(verbs["get"])
    _add_own(commands)
    return top


def _nouns(commands: Commands, verb: str, what: str) -> Any:
    description = f"{what[0].upper()}{what[1:]}."
    one = commands.add_parser(verb, help=what, description=description)
    return one.add_subparsers(dest="noun", required=True, metavar="what", parser_class=Command)


def _add_costs(listed: Commands) -> None:
    one = listed.add_parser(
        "costs",
        help="what a month's labs cost and saved",
        description="Show what a month's labs cost and saved, at list prices: yours, or everybody's for administrators.",
        example="ekslab get costs --month 2026-11 --by team",
    )
    one.add_argument("--month", metavar="YYYY-MM", help="this month by default")
    one.add_argument("--by", choices=["person", "team", "account", "tag"], default="person", help="person by default")
    one.add_argument("--csv", nargs="?", const="csv", choices=["csv", "focus"], help="as CSV, or in FOCUS's columns")
    one.add_argument(
        "--compare", action="store_true", help="beside AWS's bill, by part; for administrators, $0.01 a time"
    )
    one.set_defaults(run=offers.costs)


def _add_own(commands: Commands) -> None:
    offered = commands.add_parser(
        "offers",
        help="what labs may use of the account; administrators change it",
        description="Show what labs may use of the account; administrators change it.",
        example="ekslab offers --set 'keyPairs=[\"course\"]'",
    )
    offered.add_argument(
        "--set", action="append", type=offers.part, metavar="NAME=JSON", help="a part of the list; may be repeated"
    )
    offered.set_defaults(run=offers.offers)
    well = commands.add_parser(
        "health",
        help="is the service well, and what ran by itself when",
        description="Say whether the service is well; exit status 1 unless it is.",
        example="ekslab health",
    )
    well.set_defaults(run=health.health)
    page = commands.add_parser(
        "dashboard",
        help="the page, in your browser",
        description="Show the page on 127.0.0.1 with your AWS credentials, until Ctrl-C.",
        example="ekslab dashboard",
    )
    page.add_argument("--port", type=arguments.number, default=0, help="of 127.0.0.1; 0 takes a free one")
    page.add_argument("--no-browser", dest="browser", action="store_false", help="print the address, open nothing")
    page.set_defaults(run=dashboard.dashboard)
    shell = commands.add_parser(
        "completion",
        help="completion for bash, zsh or fish",
        description="Print the file that completes words in your shell.",
        example="source <(ekslab completion bash)",
    )
    shell.add_argument("shell", choices=completion.SHELLS)
    shell.set_defaults(run=completion.completion, offline=True)
    shown = commands.add_parser(
        "version", help="the version of this command", description="Print the version.", example="ekslab version"
    )
    shown.set_defaults(run=completion.version, offline=True)


def parse(words: list[str]) -> argparse.Namespace:
    """Parse a command line. Raises SystemExit where argparse does."""
    return parser().parse_args(words)
