"""Asks CloudTrail who created the resources that claims point to, and keeps the answers on the ledger.

Sweeps, looks and the hourly collection call it. Cheaper sources come first: CloudTrail is not asked about a proved resource, nor
twice about the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.proof import Creator
from chalicelib.domain.core.resources import Resource
from chalicelib.domain.core.sentence import Sentence, reason_of
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.teardown.creation import REMEMBERED, Event, Lookup, creator_of, is_young, lookup_for, unreadable
from chalicelib.logs import logger
from chalicelib.ports.cloud import EventHistory
from chalicelib.ports.deps import Deps

#: CloudTrail lookups per call: AWS allows two a second per account and region. The next call asks about the rest.
MOST = 40


@dataclass
class Asked:
    """The answers. `unknown`: the resources without a known creator, and why."""

    creators: dict[str, Creator] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


def ask_who_made(deps: Deps, lab: Lab, things: Iterable[Resource], now: datetime) -> Asked:
    """Ask CloudTrail who created these resources. Resources of a kind that share a query are asked about together."""
    asked, history = Asked(), deps.cloud(lab.place).history
    answers: dict[Lookup, tuple[Event, ...] | str] = {}
    since = max(lab.created_at, now - REMEMBERED)
    for thing in things:
        lookup = lookup_for(thing, since, now)
        if lookup is None:
            asked.unknown[thing.arn] = Sentence("CloudTrail does not tell of its kind")
            continue
        if lookup not in answers:
            answers[lookup] = _answer(history, lookup, answers)
        _take_in(asked, thing, answers[lookup], now)
    return asked


def _answer(
    history: EventHistory, lookup: Lookup, before: Mapping[Lookup, tuple[Event, ...] | str]
) -> tuple[Event, ...] | str:
    """The events, or the reason for having none. After a refusal it sends no more requests."""
    refused = next((why for why in before.values() if isinstance(why, str) and "LookupEvents" in why), None)
    if refused is not None:
        return refused
    if len(before) >= MOST:
        return Sentence("asked again at the next look")
    try:
        events = history.events(lookup)
    except (AwsRefused, Transient) as error:
        return reason_of(error)
    if events is None:
        return Sentence("too many events to be read")
    if broken := unreadable(events):
        told = {"attribute": lookup.attribute, "value": lookup.value, "broken": broken, "events": len(events)}
        logger.warning("Events of CloudTrail could not be read.", extra=told)
    return events


def _take_in(asked: Asked, thing: Resource, answer: tuple[Event, ...] | str, now: datetime) -> None:
    if isinstance(answer, str):
        asked.unknown[thing.arn] = answer
        return
    creator = creator_of(thing, answer, now)
    if creator is None:
        young = thing.created_at is not None and is_young(thing, thing.created_at, now)
        asked.unknown[thing.arn] = (
            Sentence("CloudTrail may not have told yet") if young else Sentence("CloudTrail tells of no creation")
        )
    else:
        asked.creators[thing.arn] = creator
