"""The command about the service's own health."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ekslab.client import Client
from ekslab.commands.answers import fit, present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.printing.tables import sentence, table
from ekslab.words import t


def health(client: Client, options: argparse.Namespace) -> int:
    """The service's health, with reasons; exit status 1 unless it is healthy."""
    answer = client.call("GET", "/health")
    if not answer.ok:
        return refused(answer, options)
    present(options, answer.body, lines(answer.body, fit(options)))
    return Exit.OK if answer.body["status"] == "ok" else Exit.REFUSED


def lines(view: Any, fit: int | None = None) -> Iterator[str]:
    """The status, the reasons, and the last runs of scheduled workflows."""
    yield t("{status}, version {version}", status=view["status"], version=view["version"])
    for reason in view["reasons"]:
        yield from sentence(reason, fit, indent=2)
    runs = [(run["workflow"], run["at"], run["outcome"], run["ageMinutes"]) for run in view["runs"]]
    if runs:
        yield from table(("RUN", "LAST", "OUTCOME", "MINUTES AGO"), runs, fit, keep=("RUN",))
