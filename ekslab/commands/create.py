"""`create cluster`: from flags or a file to a lab, and to its context in the kubeconfig."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ekslab.client import Answer, Client, NoAnswer
from ekslab.client.client import new_key
from ekslab.commands import people
from ekslab.commands.answers import for_people, present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.commands.kubeconfig import write_context
from ekslab.commands.watching import stay
from ekslab.parsing.arguments import UsageError
from ekslab.parsing.create_request import flag_of_field, request_of
from ekslab.parsing.eksctl_flags import FLAGS, Treatment
from ekslab.printing import labs as printing
from ekslab.printing import terminal
from ekslab.words import t

_TYPES = {".json": "application/json", ".yaml": "application/yaml", ".yml": "application/yaml"}
#: Flags about the answer, not the lab: they may be used with a file, too.
_BESIDE_A_FILE = frozenset({"config_file", "timeout", "dry_run", "profile", "help", "verbose", "color", "dumpLogs"})
_BESIDE_A_FILE |= {"kubeconfig", "set_kubeconfig_context", "auto_kubeconfig", "write_kubeconfig"}
_OWN = ("account", "lease_hours", "external_dns_domain", "work_host", "volumes", "allowed_cidrs")


def _asked(client: Client, body: bytes, headers: Mapping[str, str], key: str) -> Answer:
    """The answer to the request. If it is lost, print how to check: the lab may have been requested."""
    try:
        return client.call("POST", "/labs", body, {**headers, "Idempotency-Key": key})
    except (KeyboardInterrupt, NoAnswer):
        terminal.err(
            t(
                "The lab may have been asked for: `ekslab get clusters` shows it. With --key {key}, ask again safely.",
                key=key,
            )
        )
        raise


def create_cluster(client: Client, options: argparse.Namespace) -> int:
    """Request a lab; wait until it is ready, as eksctl does, and write its context. Raises UsageError."""
    if _refused_flags(options):
        return Exit.REFUSED
    body, kind = _body_of(options)
    headers = {"Content-Type": kind}
    if options.dry_run:
        return _planned(options, client.call("POST", "/labs?dryRun=true", body, headers))
    if options.address is not None:
        people.set_address(client, options.address)
    elif for_people(options):
        people.ask_for_address(client)
    answer = _asked(client, body, headers, options.key or new_key())
    if not answer.ok:
        return _refused(options, answer)
    if for_people(options) or not options.watch:
        present(options, answer.body, printing.accepted(answer.body), [answer.body["name"]])
    if not options.watch:
        return Exit.OK
    return stay(
        client, options, answer.body["id"], frozenset({"ready"}), lambda lab: write_context(client, options, lab)
    )


def _planned(options: argparse.Namespace, answer: Answer) -> int:
    if not answer.ok:
        return _refused(options, answer)
    return present(options, answer.body, printing.dry_run(answer.body), [answer.body["spec"]["name"]])


def _refused(options: argparse.Namespace, answer: Answer) -> int:
    status = refused(answer, options, {} if options.config_file else flag_of_field(options))
    found = answer.body.get("findings", ()) if isinstance(answer.body, dict) else ()
    if any(finding.get("code") == "version-extended" for finding in found) and not options.config_file:
        terminal.err(t("To have it all the same, at $0.60 an hour for the control plane: add --support-type EXTENDED."))
    return status


def _refused_flags(options: argparse.Namespace) -> bool:
    """Print the typed options that are not honoured; return whether one is refused."""
    verdict = False
    for flag in FLAGS:
        asked = getattr(options, flag.dest, None)
        if flag.treatment is Treatment.HONOURED or asked is None or asked in flag.harmless:
            continue
        is_refused = flag.treatment is Treatment.REFUSED
        verdict = verdict or is_refused
        terminal.err(f"  {'error' if is_refused else 'warning':<7}  --{flag.name}: {flag.message}")
    return verdict


def _body_of(options: argparse.Namespace) -> tuple[bytes, str]:
    if options.config_file is None:
        return json.dumps(request_of(options, terminal.err)).encode(), "application/json"
    beside = [f"--{name.replace('_', '-')}" for name in _said_of_the_lab(options)]
    if beside:
        raise UsageError(f"{', '.join(beside)}: not with a file (-f), which has fields for it")
    if options.config_file == "-":
        return sys.stdin.buffer.read(), "text/plain"
    file = Path(options.config_file)
    return file.read_bytes(), _TYPES.get(file.suffix, "text/plain")


def _said_of_the_lab(options: argparse.Namespace) -> Iterator[str]:
    given: Mapping[str, Any] = vars(options)
    if given.get("cluster_name") is not None:
        yield "name"
    for flag in FLAGS:
        harmless = flag.treatment is not Treatment.HONOURED or flag.dest in _BESIDE_A_FILE
        if not harmless and given.get(flag.dest) is not None:
            yield flag.name
    yield from (name for name in _OWN if given.get(name) is not None)
