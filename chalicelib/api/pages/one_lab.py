"""One lab: its steps, a drawing of its network, access to it, its history and its receipt; and the forms that act on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalice import Response

from chalicelib.api.inputs.params import refuse
from chalicelib.api.pages.labs import row
from chalicelib.api.pages.network import WIDTH, draw_groups, draw_subnets, reaches
from chalicelib.api.pages.visit import HEADERS, Visit
from chalicelib.api.problems import explained
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.tree import EkslabError, InvalidRequest, LabNotFound
from chalicelib.domain.labs.lab import ENDING, OVER
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.teardown.receipt import verdict
from chalicelib.logs import logger
from chalicelib.services.curfew.keep import keep_lab
from chalicelib.services.labs import commands, hibernation, lease, queries
from chalicelib.services.labs.queries import LabPage, whole_lab

#: The most events, newest first, and the most lines of a receipt, remaining and left ones first. The API gives all.
_MOST_EVENTS, _MOST_LINES = 60, 120
#: The fields of the forms that act on a lab.
_FIELDS = ("hours", "sure")
_DID = {
    "asked": Sentence("The lab was asked for. This page follows it."),
    "extend": Sentence("The lease was extended."),
    "keep": Sentence("It is kept for this night."),
    "sleep": Sentence("It goes to sleep."),
    "wake": Sentence("It wakes up."),
    "end": Sentence("It is being deleted. The receipt comes at the end."),
}


def show_lab(
    visit: Visit, status: int = 200, problem: tuple[str, str] | None = None, found: Sequence[Finding] = ()
) -> Response:
    """The whole lab. The query names the action just done, by a word of ours.

    The faults of a submitted form are beside its fields, the others on top.
    """
    page = whole_lab(visit.deps, visit.caller, visit.path.split("/")[1], visit.now)
    lab = page.line.lab
    shown: dict[str, Any] = {
        "page": page,
        "row": row(visit, page.line),
        "did": _DID.get(visit.query.get("did", ""), ""),
        "problem": problem,
        "general": [finding for finding in found if finding.path not in _FIELDS],
        "beside": {field: [finding for finding in found if finding.path == field] for field in _FIELDS},
        "given": visit.form,
        "steps": [step for step in page.steps if step.run == lab.run],
        "events": page.events[: -_MOST_EVENTS - 1 : -1],
        "curfew_local": format_local(lab.spec.schedule, page.next_curfew.at) if page.next_curfew else "",
        "drawings": (draw_subnets(lab.spec), draw_groups(lab.spec)),
        "drawn_width": WIDTH,
        "reaches": reaches(lab.spec),
        "has_kubeconfig": bool(lab.facts.endpoint) and lab.phase not in ENDING | OVER,
        "host": lab.spec.work_host,
        **_receipt(page),
    }
    return visit.show("lab.html", status, **shown)


def _receipt(page: LabPage) -> dict[str, object]:
    if not page.receipts:
        return {"receipt": None, "verdict": "", "lines": (), "more_lines": 0}
    newest = page.receipts[-1]
    lines = sorted(newest.lines, key=lambda line: line.outcome == "deleted")
    told = verdict(page.line.lab, page.receipts)
    return {"receipt": newest, "verdict": told, "lines": lines[:_MOST_LINES], "more_lines": len(lines[_MOST_LINES:])}


def show_part(visit: Visit) -> Response:
    """The kubeconfig as a file. It holds no secret."""
    _, lab_id, part = visit.path.split("/")
    if part != "kubeconfig":
        raise LabNotFound(lab_id)
    document = queries.kubeconfig_of(visit.deps, visit.caller, lab_id)
    import yaml

    name = f'attachment; filename="kubeconfig-{lab_id}.yaml"'
    headers = {**HEADERS, "Content-Type": "application/yaml", "Content-Disposition": name}
    return Response(yaml.safe_dump(document, sort_keys=False), headers=headers)


def act(visit: Visit) -> Response:
    """Carry out a form's action, and show the lab again; or the reason of a refusal. Raises LabNotFound."""
    _, lab_id, what = visit.path.split("/")
    doing = _ACTS.get(what)
    if doing is None:
        raise LabNotFound(lab_id)
    try:
        doing(visit, lab_id)
    except LabNotFound:
        raise
    except InvalidRequest as refused:
        return show_lab(visit, 400, found=refused.findings)
    except EkslabError as problem:
        status, title, detail = explained(problem)
        return show_lab(visit, status, (title, detail))
    logger.info("A form was acted on.", extra={"lab_id": lab_id, "act": what, "caller": visit.caller.arn})
    return visit.go(f"labs/{lab_id}?did={what}")


def _extend(visit: Visit, lab_id: str) -> None:
    commands.own_lab(visit.deps, visit.caller, lab_id)
    given = visit.form.get("hours", "")
    hours = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= hours <= 8760:
        refuse([error("hours", "invalid-hours", "Say how many hours more: a whole number from 1 to 8760.")])
    lease.extend_lab(visit.deps, visit.caller, lab_id, ExtensionRequest(hours=hours), visit.now)


def _end(visit: Visit, lab_id: str) -> None:
    commands.own_lab(visit.deps, visit.caller, lab_id)
    if visit.form.get("sure") != "yes":
        refuse([error("sure", "not-sure", "Tick the box: everything of the lab is deleted.")])
    commands.release_lab(visit.deps, visit.caller, lab_id, visit.now)


_ACTS: Mapping[str, Callable[[Visit, str], object]] = {
    "extend": _extend,
    "end": _end,
    "keep": lambda visit, lab_id: keep_lab(visit.deps, visit.caller, lab_id, visit.now),
    "sleep": lambda visit, lab_id: hibernation.hibernate_lab(visit.deps, visit.caller, lab_id, visit.now),
    "wake": lambda visit, lab_id: hibernation.wake_lab(visit.deps, visit.caller, lab_id, visit.now),
}
