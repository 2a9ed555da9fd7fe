"""The form for a lab: three fields, the rest folded, or an eksctl file. Fields have the API's names: findings stand beside them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from typing import Any

from chalice import Response

from chalicelib.api.inputs.lab_request import read_asked
from chalicelib.api.pages.visit import Visit
from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.sentence import reason_of, sentence
from chalicelib.domain.errors.findings import Finding, error, has_errors
from chalicelib.domain.errors.tree import InvalidRequest, NameTaken, OverBudget, TooManyLabs
from chalicelib.domain.labs.schedule import format_local
from chalicelib.services.labs import commands, lease

_KEY = pattern(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Field:
    """A field of the form. `kind`: text, number, list (words or lines), principals, flag; `choices`: a select with these."""

    path: str
    label: str
    hint: str = ""
    kind: str = "text"
    choices: tuple[str, ...] = ()


def _field(path: str, label: str, hint: str = "", kind: str = "text", choices: tuple[str, ...] = ()) -> Field:
    return Field(path, sentence(label), sentence(hint), kind, choices)


FIRST = (
    _field("name", "Name", "The cluster's name."),
    _field("leaseHours", "Hours", "How long you need it. It can be extended.", "number"),
    _field("nodegroups[0].desired", "Nodes", "How many to begin with.", "number"),
)
FOLDED = (
    _field("nodegroups[0].instanceTypes", "Instance types", "Such as t3.medium; several, with spaces.", "list"),
    _field("nodegroups[0].min", "Fewest nodes", "", "number"),
    _field("nodegroups[0].max", "Most nodes", "", "number"),
    _field("nodegroups[0].placement", "Subnets of the nodes", "", choices=("public", "private")),
    _field("region", "Region", "Where labs are made unless you say otherwise: leave it empty."),
    _field("account", "Account", "Twelve digits; empty: the service's own."),
    _field("version", "Kubernetes version", "Such as 1.36; empty: EKS's own default, if in standard support."),
    _field("supportPolicy", "Support", "EXTENDED may cost more.", choices=("STANDARD", "EXTENDED")),
    _field("network.cidr", "Network", "Such as 192.168.0.0/16."),
    _field("network.nat", "NAT", "", choices=("none", "single")),
    _field("endpoint.access", "API server", "", choices=("public", "public-and-private", "private")),
    _field("endpoint.allowedCidrs", "Allowed addresses", "Who reaches it; empty: your address.", "list"),
    _field("access", "Who gets in", "ARNs of IAM users or roles, as administrators; empty: you.", "principals"),
    _field("ssh.keyName", "Key pair", "An EC2 key pair for ssh; without one, Session Manager."),
    _field("externalDns.domain", "DNS below", "A domain for external-dns."),
    _field("workHost", "Work host", "An instance with kubectl, eksctl, aws and docker.", "flag"),
    _field("schedule.timeZone", "Time zone", "Such as Asia/Seoul."),
    _field("schedule.curfew", "Curfew", "Such as 22:00."),
    _field("schedule.atCurfew", "At curfew", "What an idle lab does", choices=("end", "hibernate")),
    _field("schedule.wake", "Wakes at", "Such as 09:00, after hibernating."),
    _field("volumes", "Volumes at the end", "", choices=("delete", "snapshot", "keep")),
)
FIELDS = (*FIRST, *FOLDED)


def send_form(visit: Visit) -> Response:
    """Show the lab with its cost, or request it. Sending the same form twice creates one lab."""
    deps, caller, now = visit.deps, visit.caller, visit.now
    raw, kind = body_of(visit.form)
    asked_for = visit.form.get("then") == "ask"
    try:
        key, digest = _key(visit), hashlib.sha256(raw).hexdigest()
        known = deps.store.look_ahead(caller.identity, key if asked_for else None, digest, now)
        before = commands.requested_before(deps, known)
        if before is not None:
            return visit.go(f"labs/{before.lab.id}?did=asked")
        asking, calendar = read_asked(deps, caller, raw, kind, now, known)
        if asked_for:
            made = commands.request_lab(deps, caller, asking, key, digest, now)
            return visit.go(f"labs/{made.lab.id}?did=asked")
        plan = commands.plan_lab(deps, caller, asking, now)
    except InvalidRequest as refused:
        return show_form(visit, visit.form, refused.findings, 400)
    except (NameTaken, OverBudget, TooManyLabs) as refused:
        field = "name" if isinstance(refused, NameTaken) else ""
        return show_form(visit, visit.form, (error(field, "taken", reason_of(refused)),), 409)
    ahead = lease.coming(deps, plan.lab, calendar, now)
    return show_form(visit, visit.form, plan.findings, plan=plan.lab, ahead=ahead)


def body_of(form: dict[str, str] | Any) -> tuple[bytes, str]:
    """The body of POST /labs for a form: the file if there is one, else its fields."""
    file = form.get("file", "").replace("\r\n", "\n")
    if file.strip():
        return file.encode(), "application/yaml"
    body: dict[str, Any] = {}
    for field in FIELDS:
        given = form.get(field.path, "").strip()
        if given:
            _put(body, field.path, _value(field, given))
    return json.dumps(body).encode(), "application/json"


def _value(field: Field, given: str) -> Any:
    """A text that is not a number stays text: the API's own finding explains the fault."""
    match field.kind:
        case "number":
            return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else given
        case "list":
            return given.replace(",", " ").split()
        case "principals":
            return [{"principalArn": arn} for arn in given.replace(",", " ").split()]
        case "flag":
            return True
        case _:
            return given


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    if path.startswith("nodegroups[0]."):
        body.setdefault("nodegroups", [{}])[0][path.partition(".")[2]] = value
        return
    head, dot, rest = path.partition(".")
    if dot:
        body.setdefault(head, {})[rest] = value
    else:
        body[head] = value


def _key(visit: Visit) -> str:
    key = visit.form.get("key", "")
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            [error("", "no-key", "Load the form again: it has lost the key that makes it one request.")]
        )
    return f"page-{key}"


def show_form(
    visit: Visit,
    given: Any = None,
    findings: Iterable[Finding] = (),
    status: int = 200,
    plan: Any = None,
    ahead: Any = None,
) -> Response:
    """The form, empty or with the given values; the findings beside their fields; the planned lab with its cost."""
    given = given or {}
    beside, general = sorted_findings(findings, bool(given.get("file", "").strip()))
    folded_open = any(beside.get(field.path) or given.get(field.path) for field in FOLDED)
    key = given.get("key") if _KEY.fullmatch(given.get("key", "")) else secrets.token_hex(16)
    return visit.show(
        "ask.html",
        status,
        first=FIRST,
        folded=FOLDED,
        given=given,
        beside=beside,
        general=general,
        refused=has_errors([*general, *(each for found in beside.values() for each in found)]),
        folded_open=folded_open,
        key=key,
        plan=plan,
        ahead=ahead,
        ends_local=format_local(plan.spec.schedule, plan.lease_ends_at) if plan else "",
        curfew_local=format_local(plan.spec.schedule, ahead.next_curfew.at) if ahead and ahead.next_curfew else "",
        usual_hours=visit.deps.limits.default_lease_hours,
    )


def sorted_findings(findings: Iterable[Finding], of_file: bool) -> tuple[dict[str, list[Finding]], list[Finding]]:
    """Findings by the field beside which they are shown, and the rest. Those of a file are shown together, by its own paths."""
    beside: dict[str, list[Finding]] = {}
    general: list[Finding] = []
    for finding in findings:
        near = None if of_file else next((f.path for f in FIELDS if _is_about(finding.path, f.path)), None)
        (general if near is None else beside.setdefault(near, [])).append(finding)
    return beside, general


def _is_about(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}[", f"{field}."))
