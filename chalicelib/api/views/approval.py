"""What a link of an approver's mail is about, as JSON, and the page made from it. Read without a login: nobody's ARN is in it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.api.views.keep_page import page
from chalicelib.api.views.money import dollars
from chalicelib.domain.labs.approval import Decision
from chalicelib.domain.labs.spending import foreseen
from chalicelib.services.labs.approval import DecisionView


def decision_view(view: DecisionView) -> dict[str, Any]:
    """`decision`: what the button says, or has said (`done`)."""
    lab, approval = view.lab, view.lab.approval
    return {
        "name": lab.name,
        "region": lab.region,
        "decision": str(view.decision),
        "done": view.done,
        "phase": str(lab.phase),
        "leaseHours": lab.spec.lease_hours,
        "usd": dollars(foreseen(lab)),
        "atLeast": bool(lab.meter and lab.meter.unknown),
        "why": approval.why if approval else "",
        "expiresAt": instant(approval.expires_at) if approval else None,
    }


def decision_page(view: Mapping[str, Any]) -> str:
    """What would be done, with the button that does it; or that it is done."""
    name, approves = escape(view["name"]), view["decision"] == Decision.APPROVE
    if view["done"]:
        said = "approved: it is being made" if approves else "refused: nothing is made of it"
        return page(f"{view['name']} is {'approved' if approves else 'refused'}", f"<p>{name} is {said}.</p>")
    least = "at least " if view["atLeast"] else ""
    body = [
        f"<p>The lab <strong>{name}</strong> in {escape(view['region'])} would cost <strong>{least}${view['usd']:,.2f}</strong> "
        f"in its lease of {view['leaseHours']} hours.</p>",
        f'<p class="why">It needs an approver: {escape(view["why"])}.</p>',
        f'<form method="post"><button type="submit">{"Approve" if approves else "Refuse"} {name}</button></form>',
        '<p class="small">Opening this page has changed nothing.</p>',
    ]
    return page(f"{'Approve' if approves else 'Refuse'} {view['name']}?", "\n".join(body))
