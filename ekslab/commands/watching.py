"""Watches a lab while work is under way: prints each step as it begins and ends, in the lab's time zone."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from ekslab.client import Client, NoCredentials, NotInTime, Refused
from ekslab.commands.answers import fit, for_people, present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.printing import labs as printing
from ekslab.printing import terminal
from ekslab.printing.states import state
from ekslab.printing.times import at_clock, zone_of
from ekslab.words import t

_RESTING = frozenset({"ready", "hibernated", "deleted", "failed", "refused", "lost", "blocked", "awaiting-approval"})
_WELL = frozenset({"ready", "hibernated", "deleted"})


def stay(
    client: Client,
    options: argparse.Namespace,
    lab_id: str,
    wanted: frozenset[str] = _WELL,
    then: Callable[[Any], int] | None = None,
) -> int:
    """Watch until the lab rests; print all of it; return the exit status, that of `then` if the lab is as wanted."""
    try:
        lab = client.wait(lab_id, options.timeout, news(terminal.err))
    except Refused as error:
        if error.answer.status in (401, 403):
            terminal.err(t("The lab goes on. {how}", how=_goes_on(lab_id)))
        return refused(error.answer, options)
    except NotInTime as error:
        terminal.err(f"{error} {_goes_on(lab_id)}")
        if error.lab is not None and not for_people(options):
            present(options, error.lab, (), [error.lab["name"]])
        return Exit.NOT_IN_TIME
    except (KeyboardInterrupt, NoCredentials):
        terminal.err(t("The lab goes on. {how}", how=_goes_on(lab_id)))
        raise
    present(options, lab, printing.lab(lab, fit(options)), [lab["name"]])
    if lab["phase"] in wanted:
        return then(lab) if then else Exit.OK
    return Exit.PARTLY if lab["phase"] == "blocked" else Exit.REFUSED


def news(say: Callable[[str], None]) -> Callable[[Mapping[str, Any]], None]:
    """A function that takes each answer and prints the changes since the last."""
    said: set[str] = set()
    began: list[str] = []

    def tell(lab: Mapping[str, Any]) -> None:
        # Steps that ended before the phase of the first answer are history; later ones are news, also when the lab rests.
        began[:] = began or [lab["phaseSince"]]
        zone = zone_of(lab["schedule"]["timeZone"])
        for line in _news(lab, began[0], zone):
            if line not in said:
                said.add(line)
                say(line)

    return tell


def _goes_on(lab_id: str) -> str:
    return t("`ekslab describe cluster {lab} --watch` shows how; `ekslab delete cluster {lab}` lets it go.", lab=lab_id)


def _news(lab: Mapping[str, Any], began: str, zone: tzinfo) -> list[str]:
    """The steps that ran since then, and the phase, in order of time."""
    lines = []
    for step in lab["steps"]:
        if step["endedAt"] and step["endedAt"] < began:
            continue
        lines.append((step["startedAt"], f"{step['title']} ..."))
        if step["endedAt"]:
            lines.append((step["endedAt"], f"{step['title']}: {state(step['status'])}. {step['detail']}".rstrip()))
    phase = (lab["phaseSince"], t("{name} is {phase}.", name=lab["name"], phase=state(lab["phase"])))
    # Within one second, a phase of work comes before its steps, and a phase of rest after them.
    lines = [*lines, phase] if lab["phase"] in _RESTING else [phase, *lines]
    return [f"{at_clock(at, zone)}  {message}" for at, message in sorted(lines, key=lambda line: line[0])]
