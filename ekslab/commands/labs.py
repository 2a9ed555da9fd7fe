"""The commands: each makes its HTTP calls, prints for a person (or, with --json, the answer as it is), returns an exit status."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.parse import quote

from ekslab.client import Answer, Client
from ekslab.commands.answers import message, pages, refused, with_query
from ekslab.commands.naming import path_of
from ekslab.commands.watching import ended_well, watch
from ekslab.printing import labs as printing

_TYPES = {".json": "application/json", ".yaml": "application/yaml", ".yml": "application/yaml"}


def request(client: Client, options: argparse.Namespace) -> int:
    """Ask for a lab, from a file in either dialect or by a name alone."""
    if (options.name is None) == (options.file is None):
        wrong = "Give a name, or a file with -f." if options.name is None else "Give a name or a file, not both."
        print(wrong, file=sys.stderr)
        return 2
    if options.file is not None and (options.account or options.lab_region):
        print("--account and --in go with a name; a file has fields of its own for them.", file=sys.stderr)
        return 2
    body, kind = _body_of(options)
    headers = {"Content-Type": kind, **({"Idempotency-Key": options.key} if options.key else {})}
    return _under_way(client, options, client.call("POST", "/labs", body, headers), options.watch)


def patch(client: Client, options: argparse.Namespace) -> int:
    """Change endpoint access or node counts."""
    endpoint = {"access": options.endpoint, "allowedCidrs": options.allow}
    nodes = [{"name": name, "desired": count} for name, count in options.nodes or ()]
    asked = {"endpoint": {key: value for key, value in endpoint.items() if value}, "nodegroups": nodes}
    body = json.dumps({key: value for key, value in asked.items() if value}).encode()
    answer = _of_lab(client, options, "PATCH", body=body)
    return _under_way(client, options, answer, stay=False)


def delete(client: Client, options: argparse.Namespace) -> int:
    """Let a lab go."""
    return _under_way(client, options, _of_lab(client, options, "DELETE"), options.watch)


def list_labs(client: Client, options: argparse.Namespace) -> int:
    """All pages of labs, newest first."""
    query = {"owner": options.owner, "phase": ",".join(options.phase or ()) or None, "limit": "100"}
    labs: list[Any] = []
    for answer in pages(client, "/labs", query):
        if not answer.ok:
            return refused(answer, options)
        labs += answer.body["labs"]
    return message(options, {"labs": labs}, printing.lab_table(labs))


def show(client: Client, options: argparse.Namespace) -> int:
    """One lab; with --watch, stay while something is going on."""
    answer = _of_lab(client, options)
    if answer.ok and options.watch:
        return _watched(client, options, answer.body["id"])
    return message(options, answer.body, printing.lab(answer.body)) if answer.ok else refused(answer, options)


def read(client: Client, options: argparse.Namespace) -> int:
    """Events, inventory, receipt or kubeconfig of a lab."""
    if options.what == "events":
        return _events(client, options)
    answer = _of_lab(client, options, part=options.what)
    if not answer.ok:
        return refused(answer, options)
    lines = {"receipt": printing.receipt, "inventory": printing.inventory}.get(options.what, printing.as_it_is)
    return message(options, answer.body, lines(answer.body))


def versions(client: Client, options: argparse.Namespace) -> int:
    """The support calendar of a region."""
    answer = client.call("GET", with_query("/versions", {"region": options.lab_region}))
    return message(options, answer.body, printing.calendar(answer.body)) if answer.ok else refused(answer, options)


def _events(client: Client, options: argparse.Namespace) -> int:
    path = path_of(client, options.id, "events")
    if isinstance(path, Answer):
        return refused(path, options)
    events: list[Any] = []
    for answer in pages(client, path, {"limit": "100"}):
        if not answer.ok:
            return refused(answer, options)
        events += answer.body["events"]
    return message(options, {"events": events}, printing.events(events))


def _of_lab(
    client: Client, options: argparse.Namespace, method: str = "GET", part: str = "", body: bytes | None = None
) -> Answer:
    path = path_of(client, options.id, part)
    kind = None if body is None else {"Content-Type": "application/json"}
    return path if isinstance(path, Answer) else client.call(method, path, body, kind)


def _under_way(client: Client, options: argparse.Namespace, answer: Answer, stay: bool) -> int:
    if not answer.ok:
        return refused(answer, options)
    message(options, answer.body, printing.accepted(answer.body))
    return _watched(client, options, answer.body["id"]) if stay else 0


def _watched(client: Client, options: argparse.Namespace, lab_id: str) -> int:
    answer = watch(client, f"/labs/{quote(lab_id, safe='')}", say=lambda line: print(line, file=sys.stderr, flush=True))
    if not answer.ok:
        return refused(answer, options)
    message(options, answer.body, printing.lab(answer.body))
    return 0 if ended_well(answer.body["phase"]) else 1


def _body_of(options: argparse.Namespace) -> tuple[bytes, str]:
    if options.file is None:
        asked = {"name": options.name, "account": options.account, "region": options.lab_region}
        return json.dumps({key: value for key, value in asked.items() if value}).encode(), "application/json"
    if str(options.file) == "-":
        return sys.stdin.buffer.read(), "text/plain"
    return options.file.read_bytes(), _TYPES.get(options.file.suffix, "text/plain")
