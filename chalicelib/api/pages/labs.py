"""The list of labs: their states, tonight's events and reasons, costs, and actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalice import Response

from chalicelib.api.pages.visit import Visit
from chalicelib.domain.labs.lab import ENDING, OVER, Phase
from chalicelib.domain.labs.schedule import format_local
from chalicelib.services.labs.queries import LabLine, list_lines, usual_minutes

#: The number that fits into a first load of 60 kB.
_LIMIT = 25
_SCOPES = ("me", "team", "all")


def show_labs(visit: Visit) -> Response:
    """The query chooses the owners, and whether ended labs are shown."""
    wanted = visit.query.get("whose", "me")
    whose = wanted if wanted in scopes(visit) else "me"
    over = visit.query.get("over") == "1"
    page = list_lines(visit.deps, visit.caller, whose, over, _LIMIT, visit.query.get("cursor"), visit.now)
    rows = [row(visit, line) for line in page.items]
    changing = any(each["progress"] for each in rows)
    more: dict[str, Any] = {
        "cursor": page.cursor,
        "whose": whose,
        "over": over,
        "scopes": scopes(visit),
        "changing": changing,
    }
    return visit.show("labs.html", rows=rows, **more)


def scopes(visit: Visit) -> tuple[str, ...]:
    """The groups of labs that this caller may list."""
    team, everyone = bool(visit.caller.teams), visit.caller.sees_all
    return tuple(
        scope for scope in _SCOPES if scope == "me" or (scope == "team" and team) or (scope == "all" and everyone)
    )


def row(visit: Visit, line: LabLine) -> dict[str, object]:
    """A lab for the templates. `progress`: None if no workflow is running."""
    lab, usual = line.lab, usual_minutes(line.lab.phase)
    minutes = int((visit.now - lab.phase_since).total_seconds() // 60)
    return {
        "lab": lab,
        "line": line,
        "owner": lab.owner,
        "progress": None if usual is None else {"minutes": minutes, "usual": usual, "late": minutes > 2 * usual},
        "left": max(lab.lasts_until - visit.now, timedelta(0)),
        "ends_local": format_local(lab.spec.schedule, lab.lasts_until),
        "planned_local": format_local(lab.spec.schedule, lab.planned.at) if lab.planned else "",
        "actions": actions(line),
    }


def actions(line: LabLine) -> tuple[str, ...]:
    """The actions that a lab allows in its present phase, for those who may change it."""
    if not line.may_change:
        return ()
    match line.lab.phase:
        case Phase.READY:
            return ("keep", "extend", "sleep", "end") if line.lab.planned else ("extend", "sleep", "end")
        case Phase.HIBERNATED:
            return "extend", "wake", "end"
        case Phase.BLOCKED | Phase.AWAITING_APPROVAL:
            return ("end",)
        case phase if phase in OVER | ENDING:
            return ()
        case _:
            return "extend", "end"
