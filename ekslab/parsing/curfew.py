"""The parsers about curfew schedules, leases and the night."""

from __future__ import annotations

from ekslab.commands import curfew as commands
from ekslab.commands import labs
from ekslab.parsing import arguments
from ekslab.parsing.command import Command, Commands, add_lab, add_watch


def add_curfew_verbs(top: Commands, verbs: dict[str, Commands]) -> None:
    """Add the commands."""
    _add_lease(top)
    _add_schedule(top)
    _add_night(top, verbs["get"])


def _add_lease(top: Commands) -> None:
    extend = _of_one_lab(top, "extend", "extend a lab's lease", "extend myeks 4h")
    extend.add_argument("by", type=commands.span, metavar="4h|2d|INSTANT", help="a span to add, or the new end")
    extend.set_defaults(run=commands.extend)
    protect = _of_one_lab(
        top, "protect", "protect a lab from curfew (administrators)", "protect myeks 2026-12-01T00:00:00Z --why exam"
    )
    protect.add_argument("until", help="an instant, for example 2026-12-01T00:00:00Z; `no` ends it")
    protect.add_argument("--why", help="shown to the owner and in the report")
    protect.set_defaults(run=commands.protect)
    for what, message in (
        ("approve", "approve a lab that waits for approval (approvers)"),
        ("refuse", "refuse a lab that waits for approval (approvers)"),
    ):
        one = _of_one_lab(top, what, message, f"{what} lab-0123456789ab --why exam")
        one.add_argument("--why", required=True, help="shown to the owner")
        one.set_defaults(run=labs.answer_approval, what=what, watch=False)
    leftovers = _of_one_lab(
        top,
        "leftovers",
        "confirm that leftovers on its receipt stay",
        "leftovers lab-0123456789ab --keep arn:aws:ec2:us-east-1:111122223333:volume/vol-0abc",
    )
    leftovers.add_argument("--keep", required=True, action="append", metavar="ARN", help="of a line that is `left`")
    leftovers.set_defaults(run=commands.leftovers)
    for what, message in (("hibernate", "hibernate a lab: no nodes until it wakes"), ("wake", "wake a lab")):
        one = _of_one_lab(top, what, message, f"{what} myeks --watch")
        add_watch(one, "it is done")
        one.set_defaults(run=commands.sleep_or_wake, what=what)


def _add_schedule(top: Commands) -> None:
    message = "show or set the curfew schedule; `no` removes a field"
    schedule = _of_one_lab(top, "schedule", message, "schedule myeks --at-curfew hibernate --wake 08:30")
    for flag, name, what in (
        ("--time-zone", "timeZone", "an IANA name, Asia/Seoul"),
        ("--curfew", "curfew", "22:00"),
        ("--holidays", "holidays", "whose public holidays are quiet: KR, DE-BY"),
        ("--at-curfew", "atCurfew", "end or hibernate"),
        ("--wake", "wake", "08:30"),
    ):
        schedule.add_argument(flag, dest=name, help=what)
    schedule.add_argument("--weekdays", type=commands.listed, help="mon,tue,wed,thu,fri")
    schedule.add_argument("--quiet-dates", dest="quietDates", type=commands.listed, help="2026-12-24,2026-12-31")
    schedule.set_defaults(run=commands.schedule)


def _add_night(top: Commands, get: Commands) -> None:
    verdict = get.add_parser(
        "verdict",
        help="whether a lab is idle, and why",
        description="Judge whether a lab is idle.",
        example="ekslab get verdict myeks",
    )
    add_lab(verdict)
    verdict.set_defaults(run=commands.verdict)
    plan = get.add_parser(
        "plan",
        help="tonight's plan, with reasons",
        description="Print tonight's plan, with reasons.",
        example="ekslab get plan 2026-11-23",
    )
    plan.add_argument("date", nargs="?", type=arguments.day, help="another night, 2026-11-23")
    plan.set_defaults(run=commands.plan)
    release = top.add_parser(
        "release",
        help="release a held plan (administrators)",
        description="Release the held plan of one night, as it was published.",
        example="ekslab release 2026-11-23 4f1c...",
    )
    release.add_argument("date", type=arguments.day, help="the night, 2026-11-23")
    release.add_argument("hash", help="the plan's hash: the last line of `ekslab get plan`")
    release.set_defaults(run=commands.release)
    curfew = top.add_parser(
        "curfew",
        help="the rules of curfew; administrators change them",
        description="Show the rules of curfew; administrators change them.",
        example="ekslab curfew dry-run",
    )
    curfew.add_argument("mode", nargs="?", choices=["on", "off", "dry-run"], help="the stop switch")
    curfew.add_argument(
        "--set", action="append", type=commands.setting, metavar="NAME=NUMBER", help="maxPercent=50; may be repeated"
    )
    curfew.set_defaults(run=commands.curfew)


def _of_one_lab(top: Commands, name: str, message: str, example: str) -> Command:
    description = f"{message[0].upper()}{message[1:]}."
    one = top.add_parser(name, help=message, description=description, example=f"ekslab {example}")
    one.add_argument("lab", type=arguments.lab, help="its name or its id")
    return one
