"""The parsers about watched clusters and registered accounts."""

from __future__ import annotations

from ekslab.commands import accounts, clusters
from ekslab.parsing import arguments
from ekslab.parsing.command import Commands


def add_cluster_verbs(top: Commands, verbs: dict[str, Commands]) -> None:
    """Add the commands to their verbs, and `acknowledge` and `snooze` at the top level."""
    deadlines = verbs["get"].add_parser(
        "deadlines",
        help="every watched cluster, by what comes first",
        description="List watched clusters by what comes first; with --calendar, their deadlines as iCalendar.",
        example="ekslab get deadlines --days-left 30",
    )
    deadlines.add_argument("--phase", action="append", help="standard, extended, past-the-end ...; may be repeated")
    deadlines.add_argument("--days-left", metavar="DAYS", help="the next deadline is at most so far away, or past")
    deadlines.add_argument("--owner", help="as tags or the account's registration name them")
    deadlines.add_argument("--account")
    deadlines.add_argument("-r", "--region", dest="in_region")
    deadlines.add_switch("--calendar", help="as iCalendar (RFC 5545)")
    deadlines.set_defaults(run=clusters.deadlines)
    notices = verbs["get"].add_parser(
        "notices",
        help="who was told of what, newest first",
        description="List who was told of which deadline, newest first.",
        example="ekslab get notices",
    )
    notices.set_defaults(run=clusters.notices)
    for name, what, run in (
        ("acknowledge", "its next deadline is known: no more mails until the last week", clusters.acknowledge),
        ("snooze", "hold its notices back for a while", clusters.snooze),
    ):
        until = " 2026-12-01T00:00:00Z" if name == "snooze" else ""
        example = f"ekslab {name} 111122223333/us-east-1/orders{until}"
        one = top.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", example=example)
        one.add_argument("cluster", metavar="ACCOUNT/REGION/NAME", type=arguments.cluster)
        if name == "snooze":
            one.add_argument("until", help="an instant, for example 2026-12-01T00:00:00Z")
        one.set_defaults(run=run)


def add_account_verbs(top: Commands, verbs: dict[str, Commands]) -> None:
    """Add the commands `get accounts`, `register` and `unregister`."""
    listed = verbs["get"].add_parser(
        "accounts",
        help="which accounts are watched, and which take labs",
        description="List which accounts are watched, and which take labs.",
        example="ekslab get accounts",
    )
    listed.set_defaults(run=accounts.accounts)
    put = top.add_parser(
        "register",
        help="watch an account, or make labs in it (administrators)",
        description="Watch an account, or make labs in it; what is not said goes back to its default.",
        example="ekslab register 444455556666 --region us-east-1 --labs",
    )
    put.add_argument("account", type=arguments.account, help="its number")
    put.add_argument("-r", "--region", dest="regions", action="append", required=True, help="where; may be repeated")
    put.add_argument("--role-arn", dest="roleArn", help="the role to enter it by; none for the service's own account")
    put.add_switch("--labs", help="labs may be made in it")
    put.add_argument("--name", help="what people call it")
    put.add_argument("--owner", help="who hears of clusters whose tags name nobody")
    put.add_argument("--team", help="and which team")
    put.set_defaults(run=accounts.register)
    offers = verbs["get"].add_parser(
        "offers",
        help="what of the account labs may use",
        description="Print what of the account labs may use: networks, zones, key pairs, roles, instance types.",
        example="ekslab get offers",
    )
    offers.set_defaults(run=clusters.offers)
    adopted = top.add_parser(
        "adopt",
        help="make a stray cluster of this service's a lab again (administrators)",
        description="Make a cluster that this service made, and that no record knows, a lab again.",
        example="ekslab adopt 111122223333/us-east-1/myeks",
    )
    adopted.add_argument("cluster", metavar="ACCOUNT/REGION/NAME", type=arguments.cluster)
    adopted.set_defaults(run=clusters.adopt)
    gone = top.add_parser(
        "unregister",
        help="watch it no longer (administrators)",
        description="Watch an account no longer.",
        example="ekslab unregister 444455556666",
    )
    gone.add_argument("account", type=arguments.account, help="its number")
    gone.set_defaults(run=accounts.unregister)
