"""The answers about labs: the shapes of docs/reference/api.md, made from domain objects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.api.views.curfew import cost_view
from chalicelib.api.views.json_format import instant, to_json
from chalicelib.api.views.money import price_view, usd_view
from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.labs.access_role import access_role_arn
from chalicelib.domain.labs.aws_states import AccessEntryState
from chalicelib.domain.labs.lab import OVER, Lab
from chalicelib.domain.labs.schedule import Night, Schedule, format_local
from chalicelib.domain.labs.spec import LabSpec
from chalicelib.domain.requests.schedule_input import WEEKDAYS
from chalicelib.domain.support.calendar import Calendar
from chalicelib.services.labs.commands import Accepted
from chalicelib.services.labs.inventory import Inventory
from chalicelib.services.labs.lease import Coming
from chalicelib.services.labs.queries import LabView, ReceiptView

Json = dict[str, Any]

_LINKS = ("events", "kubeconfig", "inventory", "receipt")


def answered(answer: Accepted, base: str, now: datetime) -> Json:
    """The answer to an accepted request."""
    return {**lab_in_list(answer.lab, base, now), "warnings": warnings(answer.findings)}


def requested(lab: Lab, findings: Iterable[Finding], coming: Coming, base: str, now: datetime) -> Json:
    """The answer to a request for a lab: the stored lab, its end, and its cost."""
    return {**answered(Accepted(lab, tuple(findings)), base, now), **_coming(lab, coming)}


def planned(lab: Lab, findings: Iterable[Finding], coming: Coming, now: datetime) -> Json:
    """The answer to a dry run: the completed request, every warning, and its cost. Nothing is stored."""
    return {
        "dryRun": True,
        "account": lab.account,
        "leaseEndsAt": instant(lab.lease_ends_at),
        "leaseEndsLocal": format_local(lab.spec.schedule, lab.lease_ends_at),
        **_coming(lab, coming),
        "usd": usd_view(lab, now),
        "spec": spec_view(lab.spec),
        "warnings": warnings(findings),
    }


def _coming(lab: Lab, coming: Coming) -> Json:
    return {
        "nextCurfew": night_view(coming.next_curfew, lab.spec.schedule),
        "cost": {**cost_view(coming.cost, coming.usd_to_lease_end), **price_view(coming.price)},
    }


def lab_in_list(lab: Lab, base: str, now: datetime) -> Json:
    """A lab in a list. `base`: the path before `/labs`."""
    here = f"{base}/labs/{lab.id}"
    return {
        "id": lab.id,
        "name": lab.name,
        "owner": lab.owner,
        "account": lab.account,
        "region": lab.region,
        "version": lab.kubernetes_version,
        "phase": str(lab.phase),
        "reason": lab.reason,
        "responsible": to_json(lab.responsible),
        "createdAt": instant(lab.created_at),
        "phaseSince": instant(lab.phase_since),
        "leaseEndsAt": instant(lab.lease_ends_at),
        "leaseEndsLocal": format_local(lab.spec.schedule, lab.lease_ends_at),
        "endedAt": to_json(lab.ended_at),
        "usd": usd_view(lab, now),
        "links": {"self": here, **{name: f"{here}/{name}" for name in _LINKS}},
    }


def lab_view(view: LabView, base: str, now: datetime) -> Json:
    """A whole lab."""
    lab = view.lab
    return {
        **lab_in_list(lab, base, now),
        "usd": usd_view(lab, now, view.found),
        "endpoint": None if lab.phase in OVER else lab.facts.endpoint,
        "next": list(view.next),
        "steps": [to_json(step) for step in view.steps],
        "change": to_json(lab.change),
        "schedule": schedule_view(lab.spec.schedule),
        "nextCurfew": night_view(view.next_curfew, lab.spec.schedule),
        "endsBy": to_json(lab.ends_by),
        "keptUntil": to_json(lab.kept_until),
        "protection": to_json(lab.protection),
        "planned": {**to_json(lab.planned), "exemption": view.exemption or None} if lab.planned else None,
        "hibernation": to_json(lab.hibernation),
        "adopted": lab.adopted,
        "approval": to_json(lab.approval),
        "spec": spec_view(lab.spec),
    }


def spec_view(spec: LabSpec) -> Json:
    """The complete specification, in the fields of POST /labs, so that it can be requested again."""
    shown: Json = {**to_json(spec), "schedule": schedule_view(spec.schedule)}
    for nodegroup in shown["nodegroups"]:
        del nodegroup["amiType"]
    return shown


def receipt_view(view: ReceiptView, now: datetime) -> Json:
    """Every look, line by line, and the verdict."""
    looks = [{**to_json(look), "clean": look.clean} for look in view.receipts]
    newest = view.receipts[-1]
    head = {"labId": view.lab.id, "verdict": view.verdict, "clean": newest.clean}
    return {**head, "usd": usd_view(view.lab, now), "looks": looks}


def calendar_view(calendar: Calendar, region: str, now: datetime) -> Json:
    """The versions with their dates and the source of those, newest first."""
    entries = sorted(calendar.versions, key=lambda entry: entry.sort_key, reverse=True)
    default = calendar.default(now)
    return {
        "region": region,
        "source": calendar.source,
        "asOf": instant(calendar.as_of),
        "default": default.version if default else None,
        "versions": [{**to_json(entry), "status": str(entry.status_at(now))} for entry in entries],
    }


def inventory_view(inventory: Inventory, now: datetime) -> Json:
    """The lab's parts, in groups for display."""
    endpoint, cluster, support = inventory.lab.spec.endpoint, inventory.control_plane, inventory.support
    dates = {"source": inventory.support_source, "dates": to_json(support)}
    status = str(support.status_at(now)) if support else None
    probe = to_json(inventory.endpoint)
    return {
        "labId": inventory.lab.id,
        "message": inventory.message,
        "controlPlane": {**to_json(cluster), "zones": list(inventory.zones)} if cluster else None,
        "support": {"policy": str(inventory.lab.spec.support_policy), "status": status, **dates},
        "endpoint": {**to_json(endpoint), "means": inventory.endpoint_means, "seen": probe},
        "nodeRole": {"arn": inventory.node_role_arn, "policies": to_json(inventory.node_policies)},
        "securityGroups": [{"role": g.role, "why": g.why, **to_json(g.group)} for g in inventory.security_groups],
        "subnets": to_json(inventory.subnets),
        "nodegroups": to_json(inventory.nodegroups),
        "addons": to_json(inventory.addons),
        "accessEntries": [_entry(entry, inventory.lab) for entry in inventory.access_entries],
        "podIdentities": to_json(inventory.pod_identities),
        "workHost": to_json(inventory.work_host),
        "ledger": to_json(inventory.ledger),
        "unreadable": to_json(inventory.unreadable),
    }


def _entry(entry: AccessEntryState, lab: Lab) -> Json:
    """`ofService`: this service's read-only entry; `ofOwner`: that of the lab's access role, with which its owner enters."""
    own = entry.principal_arn == access_role_arn(lab)
    return {**to_json(entry), "ofService": entry.principal_arn == lab.facts.view_role_arn, "ofOwner": own}


def warnings(findings: Iterable[Finding]) -> list[Json]:
    """Findings in the caller's form, errors and warnings alike."""
    return [to_json(finding) for finding in findings]


def schedule_view(schedule: Schedule) -> dict[str, Any]:
    """The schedule in the fields of `POST /labs`, so that it can be sent again."""
    return {
        "timeZone": schedule.time_zone,
        "curfew": f"{schedule.curfew:%H:%M}",
        "weekdays": [WEEKDAYS[number] for number in schedule.weekdays],
        "holidays": schedule.holidays,
        "quietDates": [day.isoformat() for day in schedule.quiet_dates],
        "atCurfew": str(schedule.at_curfew),
        "wake": f"{schedule.wake:%H:%M}" if schedule.wake else None,
    }


def night_view(night: Night | None, schedule: Schedule) -> dict[str, Any] | None:
    """The next curfew: its local day, the instant, and the instant in its owner's zone."""
    if night is None:
        return None
    return {"date": night.day.isoformat(), "at": instant(night.at), "local": format_local(schedule, night.at)}
