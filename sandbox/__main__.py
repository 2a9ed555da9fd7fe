"""The sandbox's commands.

`demo` plays a lab's life; `up` leaves the installed service running; `serve` is the AWS alone.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox import demo, server, up
from sandbox.settings import ACCOUNT, REGION, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    options = _parser().parse_args(arguments)
    return int(options.command(options) or 0)


def _demo(options: argparse.Namespace) -> int:
    return demo.main(options.scale)


def _up(options: argparse.Namespace) -> int:
    return up.main(options.port, options.scale)


def _serve(options: argparse.Namespace) -> None:
    settings = Settings(
        port=options.port,
        scale=options.scale,
        region=options.region,
        account=options.account,
        auth=not options.no_auth,
        real_kubernetes=options.real_kubernetes,
        log_level=options.log_level,
    )
    server.serve(settings, ready_file=options.ready_file, end_with_parent=options.end_with_parent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    play = commands.add_parser("demo", help="a lab from request to proof of empty")
    play.set_defaults(command=_demo)
    play.add_argument("--scale", type=float, default=0.01, help="wall seconds per AWS second")
    stay = commands.add_parser("up", help="the installed service, until Ctrl-C")
    stay.set_defaults(command=_up)
    stay.add_argument("--port", type=int, default=4566, help="TCP port on 127.0.0.1; 0 takes a free one")
    stay.add_argument("--scale", type=float, default=0.02, help="wall seconds per AWS second")
    serve = commands.add_parser("serve", help="serve until Ctrl-C")
    serve.set_defaults(command=_serve)
    serve.add_argument("--port", type=int, default=4566, help="TCP port on 127.0.0.1; 0 takes a free one")
    serve.add_argument(
        "--scale", type=float, default=0.01, help="wall seconds per AWS second (0.01: 10 minutes in 6 s)"
    )
    serve.add_argument("--region", default=REGION)
    serve.add_argument("--account", default=ACCOUNT, help="12 digits")
    serve.add_argument("--no-auth", action="store_true", help="allow everything to everyone")
    serve.add_argument("--real-kubernetes", action="store_true", help="keep the emulator's own EKS: k3s in Docker")
    serve.add_argument("--log-level", default="WARNING")
    serve.add_argument("--ready-file", type=Path, help="write the URL to this file once answering")
    serve.add_argument("--end-with-parent", action="store_true", help="end when standard input closes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
