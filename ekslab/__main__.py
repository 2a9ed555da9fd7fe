"""`python -m ekslab`: ask for labs, watch them, let them go; and know what comes to your clusters.

Exit status: 0 done; 1 the service refused, or the lab ended badly; 2 the command line is wrong; 3 nobody answered;
130 and 141 as of other programs: it was interrupted, or nobody read on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ekslab.client import Client, NoAnswer, NoCredentials
from ekslab.commands import accounts, clusters, health, labs
from ekslab.commands.naming import SeveralLabs
from ekslab.parsing import arguments
from ekslab.parsing.curfew import add_curfew

_LAB = "its name or its id"


def main(words: Sequence[str] | None = None) -> int:
    """Parse, call, print; return the exit status."""
    try:
        try:
            return _done(list(sys.argv[1:] if words is None else words))
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _leave_output()
        return 141
    except (NoCredentials, SeveralLabs) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.filename is None:
            _leave_output()
        print(f"{error.filename or 'output'}: {error.strerror}", file=sys.stderr)
    return 2


def _done(words: list[str]) -> int:
    if not all(_is_text(word) for word in words):
        print("An argument is not UTF-8.", file=sys.stderr)
        return 2
    options = parser().parse_args(words)
    url = options.url or os.environ.get("EKSLAB_URL")
    if not url:
        print("Say where the service is: --url, or EKSLAB_URL.", file=sys.stderr)
        return 2
    try:
        return int(options.run(Client(arguments.address(url), options.region, options.profile), options))
    except argparse.ArgumentTypeError as error:
        print(f"{'argument --url' if options.url else 'EKSLAB_URL'}: {error}", file=sys.stderr)
        return 2
    except NoAnswer as error:
        print(f"No answer from {url}: {error}", file=sys.stderr)
        return 3


def _is_text(word: str) -> bool:
    """Whether it was UTF-8: Python hands other bytes on as surrogates, which can't be sent."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _leave_output() -> None:
    """Nobody takes what is printed. Python would try once more when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="ekslab", description="Self-service EKS lab clusters that clean up after themselves."
    )
    top.add_argument("--url", help="the API's address (or EKSLAB_URL)")
    top.add_argument("--region", type=arguments.region, help="the API's region, if its address does not tell")
    top.add_argument("--profile", help="an AWS profile to sign with")
    top.add_argument("--json", action="store_true", help="print the service's answer as it is")
    below = top.add_subparsers(required=True, metavar="command", parser_class=arguments.Command)
    _add_making(below)
    _add_looking(below)
    _add_fleet(below)
    accounts.add_accounts(below)
    add_curfew(below)
    well = below.add_parser("health", help="is the service well, and what ran by itself when")
    well.set_defaults(run=health.health)
    return top


def _add_making(below: arguments.Commands) -> None:
    request = below.add_parser("request", help="ask for a lab")
    request.add_argument("name", nargs="?", help="a name, when nothing else matters")
    request.add_argument(
        "-f", "--file", type=Path, help="our own form or an eksctl ClusterConfig, JSON or YAML; - reads stdin"
    )
    request.add_argument("--account", help="with a name: the registered account to make it in")
    request.add_argument("--in", dest="lab_region", metavar="REGION", help="with a name: the region to make it in")
    request.add_argument("--key", type=arguments.key, help="an Idempotency-Key; the same key twice is the same lab")
    request.add_argument("--watch", action="store_true", help="stay until it is ready")
    request.set_defaults(run=labs.request)
    patch = below.add_parser("patch", help="change endpoint access or node count")
    patch.add_argument("id", type=arguments.lab, help=_LAB)
    patch.add_argument("--endpoint", choices=["public", "public-and-private", "private"])
    patch.add_argument(
        "--allow", action="append", metavar="CIDR", help="who may reach the public endpoint; may be repeated"
    )
    patch.add_argument("--nodes", action="append", metavar="GROUP=COUNT", type=_nodes, help="may be repeated")
    patch.set_defaults(run=labs.patch)
    delete = below.add_parser("delete", help="let a lab go")
    delete.add_argument("id", type=arguments.lab, help=_LAB)
    delete.add_argument("--watch", action="store_true", help="stay until it is gone")
    delete.set_defaults(run=labs.delete)


def _add_looking(below: arguments.Commands) -> None:
    listing = below.add_parser("list", help="your labs")
    listing.add_argument("--owner", help="someone else's (administrators), or `*` for everyone's")
    listing.add_argument("--phase", action="append", help="only these; may be repeated")
    listing.set_defaults(run=labs.list_labs)
    show = below.add_parser("show", help="one lab: its phase, its steps, what comes next")
    show.add_argument("id", type=arguments.lab, help=_LAB)
    show.add_argument("--watch", action="store_true", help="stay while something is going on")
    show.set_defaults(run=labs.show)
    for name, what in {
        "events": "its history",
        "inventory": "what was made, to look at",
        "receipt": "what became of everything",
        "kubeconfig": "for kubectl; no secret in it",
    }.items():
        one = below.add_parser(name, help=what)
        one.add_argument("id", type=arguments.lab, help=_LAB)
        one.set_defaults(run=labs.read, what=name)
    versions = below.add_parser("versions", help="Kubernetes versions and when their support ends")
    versions.add_argument("--in", dest="lab_region", metavar="REGION", help="a region's own calendar")
    versions.set_defaults(run=labs.versions)


def _add_fleet(below: arguments.Commands) -> None:
    for name, what, run in (
        ("clusters", "every watched cluster, by what comes first", clusters.clusters),
        ("deadlines", "their deadlines as a calendar", clusters.deadlines),
    ):
        many = below.add_parser(name, help=what)
        many.add_argument("--phase", action="append", help="standard, extended, past-the-end ...; may be repeated")
        many.add_argument("--days-left", metavar="DAYS", help="the next deadline is at most so far away, or past")
        many.add_argument("--owner", help="as tags or the account's registration name them")
        many.add_argument("--account")
        many.add_argument("--in", dest="in_region", metavar="REGION")
        many.set_defaults(run=run)
    for name, what, run in (
        ("cluster", "one cluster: what is ahead, what is in the way, how to upgrade", clusters.cluster),
        ("acknowledge", "its next deadline is known: no more mails until the last week", clusters.acknowledge),
        ("snooze", "hold its notices back for a while", clusters.snooze),
    ):
        one = below.add_parser(name, help=what)
        one.add_argument("cluster", metavar="ACCOUNT/REGION/NAME", type=arguments.cluster)
        if name == "snooze":
            one.add_argument("until", help="an instant, for example 2026-12-01T00:00:00Z")
        one.set_defaults(run=run)


def _nodes(text: str) -> tuple[str, int]:
    group, separator, count = text.rpartition("=")
    if not separator or not group or not count.isdecimal():
        raise argparse.ArgumentTypeError(f"expected GROUP=COUNT, for example myeks-nodegroup=3, got {json.dumps(text)}")
    return group, int(count)


if __name__ == "__main__":
    sys.exit(main())
