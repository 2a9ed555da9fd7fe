"""Answers as lines for a terminal. Each function takes an answer's JSON and yields lines; unknown fields are left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.printing.problems import findings
from ekslab.printing.tables import table

Json = Any


def lab_table(labs: Sequence[Json]) -> Iterator[str]:
    """One line a lab."""
    if not labs:
        yield "No labs."
        return
    keys = ("id", "name", "phase", "region", "version", "leaseEndsAt")
    yield from table(
        ("ID", "NAME", "PHASE", "REGION", "VERSION", "LEASE ENDS"), [[lab[k] for k in keys] for lab in labs]
    )


def accepted(lab: Json) -> Iterator[str]:
    """What was stored, and warnings."""
    yield f"{lab['id']}  {lab['name']} is {lab['phase']}."
    yield from findings(lab["warnings"])


def lab(view: Json) -> Iterator[str]:
    """A lab whole."""
    yield f"{view['id']}  {view['name']}  Kubernetes {view['version']} in {view['region']}"
    yield f"{view['phase']} since {view['phaseSince']}"
    if view["reason"]:
        yield f"{view['reason']} ({view['responsible'] or 'nobody'})"
    if view["endpoint"]:
        yield f"endpoint {view['endpoint']}"
    steps = [(s["title"], s["status"], s["startedAt"], s["endedAt"], s["detail"]) for s in view["steps"]]
    if steps:
        yield ""
        yield from table(("STEP", "STATUS", "STARTED", "ENDED", "DETAIL"), steps)
    if view["next"]:
        yield ""
        yield from (f"next: {line}" for line in view["next"])


def events(lines: Sequence[Json]) -> Iterator[str]:
    """One line an event."""
    for event in lines:
        yield f"{event['at']}  {event['kind']:<16}  {event['message']}"


def receipt(view: Json) -> Iterator[str]:
    """The verdict, then every line of the newest look."""
    yield view["verdict"]
    newest = view["looks"][-1]
    yield ""
    keys = ("outcome", "kind", "arn", "reason")
    yield from table(("OUTCOME", "KIND", "ARN", "REASON"), [[line[key] for key in keys] for line in newest["lines"]])
    yield from (f"could not be read: {source}" for source in newest["unreadable"])


def inventory(view: Json) -> Iterator[str]:
    """What was made, part by part; of a lab that is over, that there is nothing."""
    if view.get("message"):
        yield view["message"]
        return
    yield from _control_plane(view)
    for policy in view["nodeRole"]["policies"]:
        yield f"node role      {policy['name']}: {policy['why']}"
    for group in view["securityGroups"]:
        yield from _group(group)
    for net in view["subnets"]:
        yield f"subnet         {net['id']} {net['zone']} {net['cidr']} {'public' if net['public'] else 'private'}"
    yield from _inside(view)
    yield from (f"could not read {part}: {why}" for part, why in view["unreadable"].items())


def _control_plane(view: Json) -> Iterator[str]:
    plane, seen = view["controlPlane"], view["endpoint"]["seen"]
    if plane:
        yield f"control plane  {plane['status']}, Kubernetes {plane['version']}, zones {', '.join(plane['zones'])}"
    yield f"endpoint       {view['endpoint']['access']}: {view['endpoint']['means']}"
    if seen:
        yield f"               {seen['host']} is {', '.join(seen['addresses']) or 'not resolved'}"


def _group(group: Json) -> Iterator[str]:
    yield f"group          {group['id']} ({group['role']}): {group['why']}"
    for rule in group["ingress"]:
        yield f"               in {rule['protocol']} {rule['ports']} from {rule['source']}  {rule['description']}".rstrip()


def _inside(view: Json) -> Iterator[str]:
    for group in view["nodegroups"]:
        yield f"node group     {group['name']}: {group['status']}, {group['desired']} of {', '.join(group['instanceTypes'])}"
    for addon in view["addons"]:
        yield f"add-on         {addon['name']} {addon['version']}: {addon['status']}"
    for entry in view["accessEntries"]:
        note = "  (this service, to see what runs)" if entry["ofService"] else ""
        yield f"access         {entry['principalArn']}{note}"
    if view["workHost"]:
        yield f"work host      {view['workHost']['instanceId']}: {view['workHost']['status']}"


def calendar(view: Json) -> Iterator[str]:
    """The versions and their dates."""
    keys = ("version", "status", "endOfStandard", "endOfExtended")
    rows = [[str(entry[key])[:16] for key in keys] for entry in view["versions"]]
    yield from table(("VERSION", "STATUS", "STANDARD ENDS", "EXTENDED ENDS"), rows)
    yield f"default {view['default']}; from {view['source']}, as of {view['asOf']}"


def as_it_is(body: Json) -> Iterator[str]:
    """Text as it is, anything else as JSON."""
    yield body.rstrip("\n") if isinstance(body, str) else json.dumps(body, indent=2)
