"""The sandbox's commands.

`demo` plays a lab's life; `up` leaves the installed service running: `run-schedule` then runs a schedule at any time, `use`
simulates the use of a cluster, `mails` shows the mails.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from sandbox import run_schedule, up, usage
from sandbox.demo import lab_life
from sandbox.stage import Impatient


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    return int(options.command(options) or 0)


def _demo(options: argparse.Namespace) -> int:
    return lab_life.main(options.scale)


def _up(options: argparse.Namespace) -> int:
    return up.main(options.port, options.scale)


def _run_schedule(options: argparse.Namespace) -> int:
    try:
        at = run_schedule.instant_of(options.at, options.ahead, datetime.now(UTC))
        run_schedule.run_schedule(run_schedule.running(), options.schedule, at, print)
    except (ValueError, run_schedule.NotRunning, Impatient) as error:
        return _failed(error)
    return 0


def _use(options: argparse.Namespace) -> int:
    try:
        usage.use(run_schedule.running(), options.cluster, options.profile)
    except (ValueError, run_schedule.NotRunning) as error:
        return _failed(error)
    print(f"{options.cluster}: {options.profile}")
    return 0


def _mails(_options: argparse.Namespace) -> int:
    try:
        run_schedule.print_mails(run_schedule.running(), print)
    except run_schedule.NotRunning as error:
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    play = commands.add_parser("demo", help="a lab from request to proof of empty")
    play.set_defaults(command=_demo)
    play.add_argument("--scale", type=float, default=lab_life.SCALE, help="wall seconds per AWS second")
    stay = commands.add_parser("up", help="the installed service, until Ctrl-C")
    stay.set_defaults(command=_up)
    stay.add_argument("--port", type=int, default=4566, help="TCP port on 127.0.0.1; 0 takes a free one")
    stay.add_argument("--scale", type=float, default=0.02, help="wall seconds per AWS second")
    _add_night(commands)
    return parser


def _add_night(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Requests to a sandbox that `up` left running."""
    struck = commands.add_parser("run-schedule", help="send a schedule's event, with a later time if you like")
    struck.set_defaults(command=_run_schedule)
    struck.add_argument(
        "schedule", choices=run_schedule.SCHEDULES, help="one curfew an hour, one watch a day: again is the same"
    )
    when = struck.add_mutually_exclusive_group()
    when.add_argument("--in", dest="ahead", metavar="4h", help="so long from now: 90m, 4h, 2d")
    when.add_argument("--at", metavar="INSTANT", help="2026-11-25T13:00Z, or with an offset such as +09:00")
    used = commands.add_parser("use", help="say what a cluster is used for, which its metrics then show")
    used.set_defaults(command=_use)
    used.add_argument("cluster")
    used.add_argument(
        "profile", help=f"{', '.join(usage.USAGES)}; idle, busy and so on: emulator/cloudwatch/profiles.py"
    )
    commands.add_parser("mails", help="mail since the last look").set_defaults(command=_mails)


if __name__ == "__main__":
    sys.exit(main())
