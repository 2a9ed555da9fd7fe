"""`python -m sandbox serve`: the whole of AWS that ekslab needs, on this machine, until Ctrl-C."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sandbox import server
from sandbox.settings import ACCOUNT, REGION, Settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    options = _parser().parse_args(arguments)
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
    serve = parser.add_subparsers(required=True, metavar="command").add_parser("serve", help="serve until Ctrl-C")
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
    main()
