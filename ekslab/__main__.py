"""`python -m ekslab`: ask for labs, watch them, let them go.

Exit status: 0 done; 1 the service refused, or the lab ended badly; 2 the command line is wrong; 3 nobody answered.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
from collections.abc import Sequence
from pathlib import Path

from ekslab import commands
from ekslab.client import Client, NoCredentials


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, call, print; return the exit status."""
    options = parser().parse_args(arguments)
    url = options.url or os.environ.get("EKSLAB_URL")
    if not url:
        print("Say where the service is: --url, or EKSLAB_URL.", file=sys.stderr)
        return 2
    try:
        return int(options.run(Client(url, options.region, options.profile), options))
    except NoCredentials as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        print(f"No answer from {url}: {reason}", file=sys.stderr)
        return 3


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="ekslab", description="Self-service EKS lab clusters that clean up after themselves."
    )
    top.add_argument("--url", help="the API's address (or EKSLAB_URL)")
    top.add_argument("--region", help="the API's region, if its address does not tell")
    top.add_argument("--profile", help="an AWS profile to sign with")
    top.add_argument("--json", action="store_true", help="print the service's answer as it is")
    below = top.add_subparsers(required=True, metavar="command")
    _add_making(below)
    _add_looking(below)
    return top


def _add_making(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    request = below.add_parser("request", help="ask for a lab")
    request.add_argument("name", nargs="?", help="a name, when nothing else matters")
    request.add_argument(
        "-f", "--file", type=Path, help="our own form or an eksctl ClusterConfig, JSON or YAML; - reads stdin"
    )
    request.add_argument("--key", help="an Idempotency-Key; the same key twice is the same lab")
    request.add_argument("--watch", action="store_true", help="stay until it is ready")
    request.set_defaults(run=commands.request)
    patch = below.add_parser("patch", help="change endpoint access or node count")
    patch.add_argument("id")
    patch.add_argument("--endpoint", choices=["public", "public-and-private", "private"])
    patch.add_argument(
        "--allow", action="append", metavar="CIDR", help="who may reach the public endpoint; may be repeated"
    )
    patch.add_argument("--nodes", action="append", metavar="GROUP=COUNT", type=_nodes, help="may be repeated")
    patch.set_defaults(run=commands.patch)
    delete = below.add_parser("delete", help="let a lab go")
    delete.add_argument("id")
    delete.add_argument("--watch", action="store_true", help="stay until it is gone")
    delete.set_defaults(run=commands.delete)


def _add_looking(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = below.add_parser("list", help="your labs")
    listing.add_argument("--owner", help="someone else's (administrators), or `*` for everyone's")
    listing.add_argument("--phase", action="append", help="only these; may be repeated")
    listing.set_defaults(run=commands.list_labs)
    show = below.add_parser("show", help="one lab: its phase, its steps, what comes next")
    show.add_argument("id")
    show.add_argument("--watch", action="store_true", help="stay while something is going on")
    show.set_defaults(run=commands.show)
    for name, what in {
        "events": "its history",
        "inventory": "what was made, to look at",
        "receipt": "what became of everything",
        "kubeconfig": "for kubectl; no secret in it",
    }.items():
        one = below.add_parser(name, help=what)
        one.add_argument("id")
        one.set_defaults(run=commands.read, what=name)
    versions = below.add_parser("versions", help="Kubernetes versions and when their support ends")
    versions.add_argument("--in", dest="lab_region", metavar="REGION", help="a region's own calendar")
    versions.set_defaults(run=commands.versions)


def _nodes(text: str) -> tuple[str, int]:
    group, separator, count = text.rpartition("=")
    if not separator or not group or not count.isdigit():
        raise argparse.ArgumentTypeError(f"expected GROUP=COUNT, for example myeks-nodegroup=3, got {json.dumps(text)}")
    return group, int(count)


if __name__ == "__main__":
    sys.exit(main())
