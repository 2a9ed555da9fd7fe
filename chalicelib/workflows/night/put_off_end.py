"""Puts an agreed end off by a day, since somebody protected the cluster; its owner and administrators are told each time."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.put_off import put_off_message
from chalicelib.domain.curfew.next_event import NextEvent
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import DAY, KIND, look_again
from chalicelib.workflows.night.warn import administrators, listeners, tell_first
from chalicelib.workflows.shared.claims import claims


def put_off_end(deps: Deps, lab: Lab, faces: NextEvent, shield: str, rules: CurfewRules, now: datetime) -> None:
    """Tell it, and look at the lab again a day later, but in time for its last end."""
    tell_put_off(deps, lab, faces, shield, rules, now)
    last = longest_life(lab, rules) - timedelta(hours=rules.lead_hours)
    look_again(deps, lab, now + DAY if last <= now else min(now + DAY, last))


def tell_put_off(deps: Deps, lab: Lab, faces: NextEvent, shield: str, rules: CurfewRules, now: datetime) -> None:
    """One message to the owner (or a team of theirs, if nobody hears for them), one to administrators, and a line of history."""
    last = longest_life(lab, rules)
    message = Sentence(
        "The lab is not on the plan for its end of {at}: {why}",
        at=format_local(lab.spec.schedule, faces.at),
        why=shield,
    )
    deps.store.add_event(lab.id, Event(now, KIND, message, {"night": faces.night.isoformat()}))
    if rules.mode is Mode.ON and claims(deps, f"put-off#{lab.id}", deps.clock.now()):
        owner_or_team = tuple(name for name in listeners(deps, lab) if name != administrators(deps))
        for audience in (owner_or_team, (administrators(deps),)):
            once = f"{lab.id} put off at {now.isoformat()}"
            tell_first(deps, audience, lambda recipient: put_off_message(lab, faces.at, shield, last, recipient), once)
