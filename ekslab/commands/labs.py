"""The commands about labs: list, describe, change, delete, and read their parts."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ekslab.client import Answer, Client
from ekslab.client.client import with_query
from ekslab.commands import clusters
from ekslab.commands.answers import answered, fit, for_people, present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.commands.kubeconfig import forget, get_kubeconfig
from ekslab.commands.naming import OVER, path_of
from ekslab.commands.watching import stay
from ekslab.parsing.arguments import UsageError, lab_of
from ekslab.printing import labs as printing
from ekslab.printing import terminal
from ekslab.words import t

_JSON = {"Content-Type": "application/json"}
_NEEDLESS = ("force", "disable_nodegroup_eviction", "pod_eviction_wait_period", "parallel")


def get_clusters(client: Client, options: argparse.Namespace) -> int:
    """Labs, newest first: those alive, or all; those of a phase; or the named one."""
    if options.lab_argument or options.lab_flag:
        path = path_of(client, lab_of(options), region=options.region)
        answer = path if isinstance(path, Answer) else client.call("GET", path)
        return _listed(options, [answer.body]) if answer.ok else refused(answer, options)
    query = {"owner": options.owner, "phase": ",".join(options.phase or ()) or None, "limit": "100"}
    labs: list[Any] = []
    for answer in client.pages("/labs", query):
        if not answer.ok:
            return refused(answer, options)
        labs += answer.body["labs"]
    forget([lab["id"] for lab in labs if lab["phase"] in OVER])
    if not (options.all or options.phase):
        labs = [lab for lab in labs if lab["phase"] not in OVER]
    return _listed(options, [lab for lab in labs if options.region in (None, lab["region"])])


def describe_cluster(client: Client, options: argparse.Namespace) -> int:
    """One lab, or one watched cluster; with --watch, wait while work on the lab is under way."""
    name = lab_of(options)
    if "/" in name:
        return clusters.describe(client, options, name)
    path = path_of(client, name, region=options.region)
    answer = path if isinstance(path, Answer) else client.call("GET", path)
    if answer.ok and options.watch:
        return stay(client, options, answer.body["id"])
    return answered(options, answer, lambda lab: printing.lab(lab, fit(options)))


def update_cluster(client: Client, options: argparse.Namespace) -> int:
    """Change endpoint access."""
    endpoint = {"access": options.endpoint, "allowedCidrs": options.allowed_cidrs}
    asked = {name: value for name, value in endpoint.items() if value}
    if not asked:
        raise UsageError("say what to change: --endpoint, --allowed-cidrs")
    return change(client, options, lab_of(options), {"endpoint": asked})


def change(client: Client, options: argparse.Namespace, lab: str, asked: Any) -> int:
    """Send a change of a lab; wait until it is done on request."""
    path = path_of(client, lab, region=options.region)
    answer = path if isinstance(path, Answer) else client.call("PATCH", path, json.dumps(asked).encode(), _JSON)
    return under_way(client, options, answer, frozenset({"ready"}))


def delete_cluster(client: Client, options: argparse.Namespace) -> int:
    """Delete a lab; with --wait, wait until it is gone. Its context is removed from the kubeconfig at once."""
    for name in _NEEDLESS:
        if getattr(options, name):
            terminal.err(
                t("  warning  --{flag}: A lab is torn down whole, in its own order.", flag=name.replace("_", "-"))
            )
    path = path_of(client, lab_of(options), region=options.region)
    answer = path if isinstance(path, Answer) else client.call("DELETE", path)
    if answer.ok:
        forget([answer.body["id"]])
    return under_way(client, options, answer, OVER)


def answer_approval(client: Client, options: argparse.Namespace) -> int:
    """Approve or refuse a lab that waits for approval."""
    path = path_of(client, options.lab)
    body = json.dumps({"why": options.why}).encode()
    answer = path if isinstance(path, Answer) else client.call("POST", f"{path}/{options.what}", body, _JSON)
    return under_way(client, options, answer, frozenset({"ready"}))


def under_way(client: Client, options: argparse.Namespace, answer: Answer, wanted: frozenset[str]) -> int:
    """Print the accepted lab; wait until the lab rests, if requested. One document, also with --watch."""
    if not answer.ok:
        return refused(answer, options)
    if for_people(options) or not options.watch:
        present(options, answer.body, printing.accepted(answer.body), [answer.body["name"]])
    return stay(client, options, answer.body["id"], wanted) if options.watch else Exit.OK


def read(client: Client, options: argparse.Namespace) -> int:
    """Events, inventory, receipt or kubeconfig of a lab."""
    path = path_of(client, lab_of(options), options.what, options.region)
    if isinstance(path, Answer):
        return refused(path, options)
    if options.what == "events":
        return _events(client, options, path)
    if options.what == "kubeconfig":
        return get_kubeconfig(client, options, path)
    answer = client.call("GET", path)
    if not answer.ok:
        return refused(answer, options)
    lines = printing.receipt if options.what == "receipt" else printing.inventory
    return present(options, answer.body, lines(answer.body, fit(options)))


def versions(client: Client, options: argparse.Namespace) -> int:
    """The support calendar of a region."""
    answer = client.call("GET", with_query("/versions", {"region": options.region}))
    if not answer.ok:
        return refused(answer, options)
    names = [entry["version"] for entry in answer.body["versions"]]
    return present(options, answer.body, printing.calendar(answer.body), names)


def _listed(options: argparse.Namespace, labs: list[Any]) -> int:
    lines = printing.lab_table(labs, fit(options))
    return present(options, {"labs": labs}, lines, [lab["name"] for lab in labs])


def _events(client: Client, options: argparse.Namespace, path: str) -> int:
    events: list[Any] = []
    zone = None
    for answer in client.pages(path, {"limit": "100"}):
        if not answer.ok:
            return refused(answer, options)
        events += answer.body["events"]
        zone = answer.body.get("timeZone")
    body = {"timeZone": zone, "events": events}
    return present(options, body, printing.events(body, fit(options)))
