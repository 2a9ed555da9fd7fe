"""The commands over watched clusters; a cluster is named ACCOUNT/REGION/NAME."""

from __future__ import annotations

import argparse
import json
from typing import Any
from urllib.parse import quote

from ekslab.client import Answer, Client
from ekslab.commands.answers import message, pages, refused, with_query
from ekslab.printing import clusters as printing


def clusters(client: Client, options: argparse.Namespace) -> int:
    """Watched clusters, by what comes first."""
    query = {**_wanted(options), "limit": "100"}
    found: list[Any] = []
    places: list[Any] = []
    for answer in pages(client, "/clusters", query):
        if not answer.ok:
            return refused(answer, options)
        found += answer.body["clusters"]
        places = answer.body["unreadablePlaces"]
    body = {"clusters": found, "unreadablePlaces": places}
    return message(options, body, printing.cluster_table(found, places))


def cluster(client: Client, options: argparse.Namespace) -> int:
    """One cluster: what is ahead, what is in the way, how to upgrade."""
    return _one(options, client.call("GET", _path(options.cluster)))


def acknowledge(client: Client, options: argparse.Namespace) -> int:
    """Say that the next deadline is known."""
    return _one(options, client.call("POST", f"{_path(options.cluster)}/acknowledge"))


def snooze(client: Client, options: argparse.Namespace) -> int:
    """Hold its notices back until an instant."""
    body = json.dumps({"until": options.until}).encode()
    path = f"{_path(options.cluster)}/snooze"
    return _one(options, client.call("POST", path, body, {"Content-Type": "application/json"}))


def deadlines(client: Client, options: argparse.Namespace) -> int:
    """All deadlines as a calendar, its line ends as they are."""
    answer = client.call("GET", with_query("/deadlines.ics", _wanted(options)))
    if not answer.ok:
        return refused(answer, options)
    print(answer.body, end="")
    return 0


def _one(options: argparse.Namespace, answer: Answer) -> int:
    return message(options, answer.body, printing.cluster(answer.body)) if answer.ok else refused(answer, options)


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
