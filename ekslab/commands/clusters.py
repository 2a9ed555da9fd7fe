"""The commands over watched clusters; a cluster is named ACCOUNT/REGION/NAME."""

from __future__ import annotations

import argparse
import json
from typing import Any
from urllib.parse import quote

from ekslab.client import Client
from ekslab.client.client import with_query
from ekslab.commands.answers import answered, fit, for_people, present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.parsing.arguments import UsageError
from ekslab.printing import clusters as printing
from ekslab.printing import labs as labs_printing
from ekslab.printing import terminal, yaml_text


def deadlines(client: Client, options: argparse.Namespace) -> int:
    """Watched clusters, most urgent first; PARTLY if a place could not be read."""
    if options.calendar:
        return _calendar(client, options)
    found: list[Any] = []
    places: list[Any] = []
    for answer in client.pages("/clusters", {**_wanted(options), "limit": "100"}):
        if not answer.ok:
            return refused(answer, options)
        found += answer.body["clusters"]
        places = answer.body["unreadablePlaces"]
    body = {"clusters": found, "unreadablePlaces": places}
    names = [printing.name_of(cluster) for cluster in found]
    present(options, body, printing.cluster_table(found, places, fit(options)), names)
    return Exit.PARTLY if places else Exit.OK


def notices(client: Client, options: argparse.Namespace) -> int:
    """The ledger of notices, newest first."""
    found: list[Any] = []
    for answer in client.pages("/notices", {"limit": "100"}):
        if not answer.ok:
            return refused(answer, options)
        found += answer.body["notices"]
    return present(options, {"notices": found}, printing.notice_table(found, fit(options)))


def describe(client: Client, options: argparse.Namespace, cluster: str) -> int:
    """One cluster: its deadlines, the obstacles, the upgrade commands."""
    return answered(options, client.call("GET", _path(cluster)), printing.cluster)


def acknowledge(client: Client, options: argparse.Namespace) -> int:
    """Acknowledge the next deadline."""
    return answered(options, client.call("POST", f"{_path(options.cluster)}/acknowledge"), printing.cluster)


def snooze(client: Client, options: argparse.Namespace) -> int:
    """Hold its notices back until an instant."""
    body = json.dumps({"until": options.until}).encode()
    path = f"{_path(options.cluster)}/snooze"
    return answered(options, client.call("POST", path, body, {"Content-Type": "application/json"}), printing.cluster)


def adopt(client: Client, options: argparse.Namespace) -> int:
    """Make a lab again of a cluster that this service made and that has no record."""
    answer = client.call("POST", f"/orphans/{_path(options.cluster).removeprefix('/clusters/')}/adopt")
    return answered(options, answer, lambda lab: labs_printing.lab_table([lab], fit(options)))


def offers(client: Client, options: argparse.Namespace) -> int:
    """The account's resources that labs may use."""
    return answered(options, client.call("GET", "/offers"), yaml_text.dump)


def _calendar(client: Client, options: argparse.Namespace) -> int:
    if not for_people(options):
        raise UsageError(f"--calendar prints iCalendar: leave out -o {options.output}, or --calendar")
    answer = client.call("GET", with_query("/deadlines.ics", _wanted(options)))
    if not answer.ok:
        return refused(answer, options)
    terminal.text_out(answer.body)
    return Exit.OK


def _wanted(options: argparse.Namespace) -> dict[str, str | None]:
    return {
        "phase": ",".join(options.phase or ()) or None,
        "daysLeft": options.days_left,
        "owner": options.owner,
        "account": options.account,
        "region": options.in_region,
    }


def _path(cluster: str) -> str:
    return "/clusters/" + "/".join(quote(part, safe="") for part in cluster.split("/"))
