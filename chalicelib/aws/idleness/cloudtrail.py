"""The last EKS API call of a lab's owner about its cluster, from CloudTrail's event history.

An owner who enters by the lab's access role assumes it whenever kubectl needs a token: that counts as a call, too.

CloudTrail takes two lookups a second, so there is one for each owner, not for each lab, one after another; a lookup takes one
attribute, and the user's name is the narrowest: of a session it is the session's name. An owner with a random session name
can only be found among everybody's EKS calls, by the role. Calls show up some minutes late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from chalicelib.aws.cloudtrail.event_history import event_of, event_pages
from chalicelib.aws.idleness.evidence import MetricWindow, Reading
from chalicelib.domain.core.names import PASSING_SESSION, principal_of, same_principal
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.identity.callers import directory_person, identity_of
from chalicelib.domain.idleness.evidence import Sighting, Source
from chalicelib.domain.labs.access_role import access_role_arn
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.teardown.creation import is_broken

_EKS, _STS = "eks.amazonaws.com", "sts.amazonaws.com"
#: Pages of 50 events, newest first.
_PAGES = 4

Attribute = tuple[str, str]


def find_owner_calls(cloudtrail: Any, readings: Sequence[Reading], window: MetricWindow) -> None:
    """Fill in each owner's last call, or record the failure. After one refused lookup the rest are skipped."""
    lookups: dict[Attribute, list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.lab.owner.startswith("arn:"):
            lookups[_attribute(reading.lab.owner)].append(reading)
    refusal: EkslabError | None = None
    for attribute, theirs in sorted(lookups.items(), key=lambda item: item[0]):
        try:
            if refusal is None:
                _look_up(cloudtrail, attribute, theirs, window)
        except EkslabError as error:
            refusal = error
        if refusal is not None:
            for reading in (each for each in theirs if each.owner_call is None):
                reading.miss(Source.OWNER_CALLS, refusal)


def _attribute(owner: str) -> Attribute:
    if _passes(owner):
        return "EventSource", _EKS
    return "Username", owner.rpartition("/")[2] if "/" in owner else owner.rpartition(":")[2]


def _look_up(cloudtrail: Any, attribute: Attribute, readings: Sequence[Reading], window: MetricWindow) -> None:
    """Read from the newest call on, until every lab's owner is found, or to the end, or to the bound."""
    missing: Sequence[Reading] = readings
    for page, last in event_pages(cloudtrail, *attribute, window.start, window.now, most=_PAGES):
        for event in page.get("Events", []):
            _match(event, readings)
        missing = [reading for reading in readings if reading.owner_call is None]
        if last or not missing:
            return
    for reading in missing:
        reading.miss(
            Source.OWNER_CALLS,
            Sentence(
                "the owner is not in the last {number} calls of {attribute}", number=_PAGES * 50, attribute=attribute[1]
            ),
        )


def _match(event: Mapping[str, Any], readings: Sequence[Reading]) -> None:
    if event.get("EventSource") not in (_EKS, _STS):
        return
    message = event_of(event)
    if is_broken(message):
        return
    who = str((message.get("userIdentity") or {}).get("arn", ""))
    named = _names(message.get("requestParameters") or {})
    for reading in readings:
        did = _done(event["EventSource"], named, reading.lab)
        if did is not None and _is_owner(who, reading.lab.owner):
            seen = Sighting(who, event["EventTime"].astimezone(UTC), did)
            reading.owner_call = max(reading.owner_call or seen, seen, key=lambda each: each.at)


def _done(source: str, named: frozenset[str], lab: Lab) -> str | None:
    """The action on the lab, empty for a call of the EKS API; None if the call was about something else."""
    if source == _EKS:
        return "" if lab.name in named else None
    return Sentence("assumed the lab's access role") if access_role_arn(lab) in named else None


def _passes(owner: str) -> bool:
    """Whether the session's name is random at each login; a directory user has a name, even one of digits."""
    return PASSING_SESSION.fullmatch(owner) is not None and directory_person(owner) is None


def _names(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The names in a call's parameters: plain names, and those at the end of ARNs (TagResource)."""
    message = [value for value in parameters.values() if isinstance(value, str)]
    return frozenset(message) | {value.rpartition(":cluster/")[2] for value in message if ":cluster/" in value}


def _is_owner(who: str, owner: str) -> bool:
    """Whether it is the same session or user; for a random session name, the same role."""
    owner, who = identity_of(owner), identity_of(who)
    if not _passes(owner):
        return who == owner
    mine, theirs = principal_of(owner), principal_of(who)
    return mine is not None and theirs is not None and same_principal(mine, theirs)
