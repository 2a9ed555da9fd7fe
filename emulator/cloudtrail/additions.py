"""Events that a test adds: calls made elsewhere, long ago, or through an API that the emulator lacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emulator.cloudtrail.history import History
from emulator.cloudtrail.record import user_identity
from emulator.cloudtrail.resources import mentioned
from emulator.core.actors import Actor
from emulator.core.identities import of_actor

_OWN = ("account", "region", "at", "as", "username", "resources", "delaySeconds")


def add_event(history: History, given: Mapping[str, Any], account: str, region: str) -> str:
    """Add an event to an account's history (by default this one's); return its id.

    It takes the members of an event, of which `eventName` and `eventSource` are required, and `account`, `region`, `at` (an
    instant with a zone), `delaySeconds`, and `as`: {role, session, service?, provider?} for a `userIdentity` of a role's session.
    The event names the resources found in it, unless `resources` ([[type, name], ...]) is given.
    """
    if not isinstance(given, Mapping) or not {"eventName", "eventSource"} <= set(given):
        raise ValueError("an event has an eventName and an eventSource")
    record = {name: value for name, value in given.items() if name not in _OWN}
    where = (given.get("account", account), given.get("region", region))
    if "as" in given:
        record["userIdentity"] = _session(where[0], given["as"])
    identity = record.setdefault("userIdentity", {"type": "Root", "arn": f"arn:aws:iam::{where[0]}:root"})
    service = str(given["eventSource"]).partition(".")[0]
    found = mentioned(service, record.get("requestParameters") or {}, record.get("responseElements") or {})
    resources = tuple((kind, name) for kind, name in given.get("resources", found))
    username = given.get("username") or str(identity.get("arn", "")).rpartition("/")[2] or "root"
    at = datetime.fromisoformat(given["at"]) if "at" in given else None
    if at is not None and at.tzinfo is None:
        raise ValueError(f"{given['at']} has no time zone")
    record.setdefault("responseElements", None)
    return history.add(where, record, username, resources, at, given.get("delaySeconds", 0))


def _session(account: str, given: Mapping[str, str]) -> dict[str, Any]:
    identity = of_actor(Actor(given["role"], given["session"], given.get("service", "")), account)
    found = user_identity(identity)
    if provider := given.get("provider"):
        found["sessionContext"]["webIdFederationData"] = {"federatedProvider": provider, "attributes": {}}
    return found
