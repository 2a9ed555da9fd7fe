"""The subject of an approver's link as JSON, and the page made from it. Read without a login: it holds no ARN."""

from __future__ import annotations

from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.api.views.keep_page import button, inline, page, paragraph_of, small
from chalicelib.api.views.money import dollars
from chalicelib.domain.core.sentence import Sentence, Words, clause
from chalicelib.domain.labs.approval import Decision
from chalicelib.domain.labs.spending import foreseen
from chalicelib.services.labs.approval import DecisionView


def decision_view(view: DecisionView) -> dict[str, Any]:
    """`decision`: the button's answer, or the one given (`done`)."""
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


def decision_page(view: DecisionView, words: Words) -> str:
    """The decision with its button, or the news that it was made."""
    if view.done:
        return _done(view, words)
    lab, approves = view.lab, view.decision is Decision.APPROVE
    name = lab.name
    why = lab.approval.why if lab.approval else ""
    body = [
        paragraph_of(_price(view), words),
        f'<p class="why">{inline(Sentence("It needs an approver: {why}.", why=clause(why)), words)}</p>',
        button(Sentence("Approve {name}", name=name) if approves else Sentence("Refuse {name}", name=name), words),
        small(Sentence("Opening this page has changed nothing."), words),
    ]
    title = Sentence("Approve {name}?", name=name) if approves else Sentence("Refuse {name}?", name=name)
    return page(inline(title, words), "\n".join(body), words)


def _done(view: DecisionView, words: Words) -> str:
    name = view.lab.name
    if view.decision is Decision.APPROVE:
        title, text = (
            Sentence("{name} is approved", name=name),
            Sentence("{name} is approved. It is being made.", name=name),
        )
    else:
        title, text = (
            Sentence("{name} is refused", name=name),
            Sentence("{name} is refused. Nothing is made of it.", name=name),
        )
    return page(inline(title, words), paragraph_of(text, words), words)


def _price(view: DecisionView) -> Sentence:
    lab = view.lab
    slots: dict[str, str | int] = {
        "name": lab.name,
        "region": lab.region,
        "hours": lab.spec.lease_hours,
        "amount": f"${dollars(foreseen(lab)):,.2f}",
    }
    if lab.meter and lab.meter.unknown:
        return Sentence(
            "The lab **{name}** in {region} would cost at least **{amount}** in its lease of {hours} hours.", **slots
        )
    return Sentence("The lab **{name}** in {region} would cost **{amount}** in its lease of {hours} hours.", **slots)
