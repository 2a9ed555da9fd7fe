"""The part of the command line that is about evenings, leases and curfew."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ekslab.commands import curfew as commands
from ekslab.parsing import arguments

if TYPE_CHECKING:
    from ekslab.parsing.arguments import Commands


def add_curfew(below: Commands) -> None:
    """Add its commands."""
    _add_lease(below)
    _add_schedule(below)
    _add_night(below)


def _add_lease(below: Commands) -> None:
    extend = _of_one_lab(below, "extend", "move its lease out")
    extend.add_argument("by", type=commands.span, metavar="4h|2d|INSTANT", help="more than it has, or until when")
    extend.set_defaults(run=commands.extend)
    protect = _of_one_lab(below, "protect", "no sweep touches it (administrators)")
    protect.add_argument("until", help="an instant, for example 2026-12-01T00:00:00Z; `no` ends it")
    protect.add_argument("--why", help="its owner and the report read it")
    protect.set_defaults(run=commands.protect)
    for what, message in (("hibernate", "no nodes until it is woken"), ("wake", "its nodes come back")):
        one = _of_one_lab(below, what, message)
        one.add_argument("--watch", action="store_true", help="stay until it is done")
        one.set_defaults(run=commands.sleep_or_wake, what=what)


def _add_schedule(below: Commands) -> None:
    schedule = _of_one_lab(below, "schedule", "when curfew comes and what it brings; `no` takes a field away")
    for flag, name, message in (
        ("--time-zone", "timeZone", "an IANA name, Asia/Seoul"),
        ("--curfew", "curfew", "22:00"),
        ("--holidays", "holidays", "whose public holidays are quiet: KR, DE-BY"),
        ("--at-curfew", "atCurfew", "end or hibernate"),
        ("--wake", "wake", "08:30"),
    ):
        schedule.add_argument(flag, dest=name, help=message)
    schedule.add_argument("--weekdays", type=commands.listed, help="mon,tue,wed,thu,fri")
    schedule.add_argument("--quiet-dates", dest="quietDates", type=commands.listed, help="2026-12-24,2026-12-31")
    schedule.set_defaults(run=commands.schedule)


def _add_night(below: Commands) -> None:
    _of_one_lab(below, "verdict", "is it idle, and why").set_defaults(run=commands.verdict)
    plan = below.add_parser("plan", help="what tonight brings, and why")
    plan.add_argument("date", nargs="?", type=arguments.day, help="another night, 2026-11-23")
    plan.set_defaults(run=commands.plan)
    curfew = below.add_parser("curfew", help="how curfew works here; administrators change it")
    curfew.add_argument("mode", nargs="?", choices=["on", "off", "dry-run"], help="the stop switch")
    curfew.add_argument(
        "--set",
        action="append",
        type=commands.setting,
        metavar="NAME=NUMBER",
        help="maxPercent=50; may be repeated",
    )
    curfew.set_defaults(run=commands.curfew)


def _of_one_lab(below: Commands, name: str, message: str) -> argparse.ArgumentParser:
    one = below.add_parser(name, help=message)
    one.add_argument("lab", type=arguments.lab, help="its name or its id")
    return one
