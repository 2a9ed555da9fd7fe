"""The answers about curfew: plans, rules, verdicts, extensions. The shapes of docs/reference/api.md."""

from __future__ import annotations

from typing import Any

from chalicelib.api.views.json_format import instant, to_json
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import Cost, describe_cost, describe_source, usd
from chalicelib.domain.curfew.plan import Entry, EntryStatus
from chalicelib.domain.curfew.rules import CurfewRules, allowance
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import phase_said
from chalicelib.domain.labs.schedule import format_local
from chalicelib.services.curfew.plans import PlanView, VerdictView
from chalicelib.services.labs.lease import Extension

Json = dict[str, Any]


def rules_view(rules: CurfewRules) -> Json:
    """Every rule, and the last administrator who changed one."""
    return dict(to_json(rules))


def plan_view(view: PlanView, base: str) -> Json:
    """A night's plan: the lines that its caller may see, the hash over all of it, and the brake's decision."""
    header = view.header
    return {
        "date": view.night.isoformat(),
        "published": header is not None,
        "message": _describe(view),
        "mode": str(view.rules.mode),
        "hash": header.hash if header else None,
        "revision": header.revision if header else 0,
        "publishedAt": to_json(header.published_at) if header else None,
        "reportedAt": to_json(header.reported_at) if header else None,
        "whole": view.whole,
        "brake": _brake(view),
        "releasedAt": to_json(header.released_at) if header else None,
        "releasedBy": (header.released_by or None) if header else None,
        "entries": [_line(entry, status, base) for entry, status in view.lines],
        "others": view.others,
    }


def verdict_view(view: VerdictView) -> Json:
    """The live verdict with its signals and their evidence, and the stored one."""
    lab = view.lab
    return {
        "labId": lab.id,
        "phase": str(lab.phase),
        "timeZone": lab.spec.schedule.time_zone,
        "windowHours": view.rules.window_hours,
        "message": view.live.sentence
        if view.live
        else Sentence("There is nothing to judge: the lab is {phase}.", phase=phase_said(lab.phase)),
        "live": _verdict(view.live),
        "kept": _verdict(view.kept),
        "evidence": to_json(view.evidence),
    }


def extension_view(extension: Extension, base: str) -> Json:
    """The lease's new end, and the cost of the added hours."""
    lab = extension.lab
    return {
        "labId": lab.id,
        "name": lab.name,
        "leaseEndsAt": instant(lab.lease_ends_at),
        "leaseEndsLocal": format_local(lab.spec.schedule, lab.lease_ends_at),
        "endsBy": to_json(lab.ends_by),
        "clamped": extension.clamped,
        "cost": cost_view(extension.cost, extension.usd),
        "links": {"self": f"{base}/labs/{lab.id}"},
    }


def cost_view(cost: Cost, total: float | None) -> Json:
    """The price of keeping: the total, the hourly price, and its parts. null: not known."""
    return {
        "usd": None if total is None else round(total, 2),
        "usdAnHour": round(cost.total, 4),
        "message": describe_cost(cost)
        if total is None
        else Sentence("{amount} ({hourly})", amount=usd(total), hourly=describe_cost(cost)),
        "parts": [{"name": part.name, "usdAnHour": round(part.usd_hour, 4)} for part in cost.parts],
        "unknown": list(cost.unknown),
        "source": describe_source(cost),
    }


def _describe(view: PlanView) -> str:
    hours, night = view.rules.lead_hours, str(view.night)
    if view.header is None:
        said = Sentence(
            "Nothing is planned for {night} so far. Labs come onto a plan {hours} hours before their curfew or their "
            "lease's end, each on the date of its own zone."
        )
        return said.with_slots(night=night, hours=hours)
    if view.braking is not None and view.braking.held:
        return view.braking.held
    return Sentence(
        "{n} lab is on the plan of {night}. Labs come onto a plan {hours} hours before their curfew or their lease's end.",
        "{n} labs are on the plan of {night}. Labs come onto a plan {hours} hours before their curfew or their lease's end.",
        n=view.header.entries,
        night=night,
        hours=hours,
    )


def _brake(view: PlanView) -> Json:
    braking = view.braking
    return {
        "alive": view.alive,
        "allowed": allowance(view.rules, view.alive),
        "counted": braking.counted if braking else 0,
        "held": bool(braking and braking.held),
        "unforeseen": braking.unforeseen if braking else 0,
    }


def _line(entry: Entry, status: EntryStatus, base: str) -> Json:
    fields: Json = to_json(entry)
    settled: Json = to_json(status)
    left_out = {"night", "entryId", "labId", "version"}
    return {
        "id": entry.id,
        **fields,
        "basis": str(entry.basis),
        "status": {name: value for name, value in settled.items() if name not in left_out},
        "links": {"lab": f"{base}/labs/{entry.lab_id}"},
    }


def _verdict(verdict: Verdict | None) -> Json | None:
    return None if verdict is None else dict(to_json(verdict))
