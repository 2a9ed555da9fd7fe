"""`python -m emulator serve`: AWS on one port of this machine, until Ctrl-C."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from emulator.core.settings import ACCOUNT, REGION, Settings
from emulator.server.serve import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    settings = Settings(**{field.name: getattr(options, field.name) for field in fields(Settings)})
    serve(settings, ready_file=options.ready_file, end_with_parent=options.end_with_parent)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("serve", help="serve until Ctrl-C")
    command.add_argument("--port", type=int, default=4566, help="TCP port on 127.0.0.1; 0 takes a free one")
    command.add_argument(
        "--scale", type=float, default=0.01, help="wall seconds per AWS second (0.01: 10 minutes in 6 s)"
    )
    command.add_argument("--region", default=REGION)
    command.add_argument("--account", default=ACCOUNT, help="12 digits")
    command.add_argument("--no-auth", dest="auth", action="store_false", help="allow everything to everyone")
    command.add_argument("--real-kubernetes", action="store_true", help="keep ministack's own EKS: k3s in Docker")
    command.add_argument("--log-level", default="WARNING")
    command.add_argument("--recorded-roles", default="", help="record only what roles of this prefix ask IAM for")
    command.add_argument("--shared-imports", action="store_true", help="import once for all functions of an archive")
    command.add_argument("--ready-file", type=Path, help="write the URL to this file once answering")
    command.add_argument("--end-with-parent", action="store_true", help="end when standard input closes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
