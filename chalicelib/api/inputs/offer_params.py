"""Reads the body of `PUT /offers`, with all findings at once. An omitted field stays unchanged; null resets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.api.inputs.params import fields_of
from chalicelib.api.views.json_format import camel
from chalicelib.domain.core.names import DOMAIN, HOSTED_ZONE_ID, LAB_ROLE_ARN, SUBNET_ID, VPC_ID
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.requests.ceilings import MOST_USD, AtLimit, MonthLimits, TeamRule
from chalicelib.domain.requests.eksctl.reader import Reader
from chalicelib.domain.requests.offers import NetworkOffer, Offers, PodRoleOffer, ZoneOffer

_MOST = 200
#: Each needs one more write when a lab is stored.
MOST_COST_TAGS = 3
#: Removes a ceiling, like null.
_NONE = "none"


def read_offers(raw: bytes, content_type: str | None) -> Callable[[Offers], Offers]:
    """The change of the list. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        asked = _read(body)
        body.close()
        said = {name: value for name, value in asked.items() if value is not None}
        back = [name for name in asked if body.is_null(camel(name))]
        if not said and not back and not body.notes.findings:
            body.error("", "empty", "Say at least one of {names}.", names=", ".join(map(camel, asked)))
        for name, value in said.items():
            if isinstance(value, tuple) and len(value) > _MOST:
                body.error(camel(name), "too-many", "At most {most} are taken here.", most=_MOST)
    changed: dict[str, Any] = {name: None if value == _NONE else value for name, value in said.items()}
    # Null means the default value; of money, any amount.
    usual = replace(Offers(), max_usd_hour=None)
    changed |= {name: getattr(usual, name) for name in back}
    return lambda before: replace(before, **changed)


def _read(body: Reader) -> dict[str, Any]:
    """Each field of Offers as the body has it; None for an omitted one, null, or a faulty one."""
    return {
        "zones": _each(body, "zones", _zone),
        "networks": _each(body, "networks", _network),
        "key_pairs": body.texts("keyPairs"),
        "pod_roles": _each(body, "podRoles", _pod_role),
        "instance_types": body.texts("instanceTypes"),
        "max_nodes": body.whole("maxNodes"),
        "max_usd_hour": _ceiling(body, "maxUsdHour"),
        "max_usd_lease": _ceiling(body, "maxUsdLease"),
        "max_usd_month": _months(body),
        "ask_usd": _ceiling(body, "askUsd"),
        "at_limit": _at_limit(body),
        "cost_tags": _cost_tags(body),
        "finance": body.text("finance"),
        "teams": _each(body, "teams", _team),
        "open_to_the_world": body.flag("openToTheWorld"),
    }


def _each(body: Reader, key: str, read: Callable[[Reader], Any]) -> tuple[Any, ...] | None:
    items = body.sections(key)
    if items is None:
        return None
    found = []
    for item in items:
        found.append(read(item))
        item.close()
    return tuple(found)


def _zone(item: Reader) -> ZoneOffer:
    zone, domain = item.text("hostedZoneId") or "", (item.text("domain") or "").rstrip(".")
    if not HOSTED_ZONE_ID.fullmatch(zone):
        item.error("hostedZoneId", "invalid-id", "Not a hosted zone's id: they look like Z0123456789ABCDEFGHIJ.")
    if not DOMAIN.fullmatch(domain):
        message = Sentence("The domain below which labs get subdomains: it looks like labs.example.com.")
        item.error("domain", "invalid-domain", message)
    return ZoneOffer(zone, domain)


def _network(item: Reader) -> NetworkOffer:
    vpc, subnets, stack = item.text("vpcId"), item.texts("subnetIds") or (), item.text("stackId")
    if vpc is not None and not VPC_ID.fullmatch(vpc):
        item.error("vpcId", "invalid-id", "Not a VPC id: they look like vpc-0dd338ecf29863c55.")
    for index, subnet in enumerate(subnets):
        if not SUBNET_ID.fullmatch(subnet):
            item.error("subnetIds", "invalid-id", "Not a subnet id: they look like subnet-0b2512f8c6ae9bf30.", index)
    return NetworkOffer(vpc, subnets, stack)


def _pod_role(item: Reader) -> PodRoleOffer:
    role, owners = item.text("roleArn") or "", item.texts("owners") or ()
    if not LAB_ROLE_ARN.fullmatch(role):
        message = Sentence("Not a role under /ekslab/: they look like arn:aws:iam::111122223333:role/ekslab/reader.")
        item.error("roleArn", "invalid-role", message)
    return PodRoleOffer(role, owners)


def _months(body: Reader) -> MonthLimits | None:
    section = body.section("maxUsdMonth")
    if section is None:
        return None
    found = [_ceiling(section, name) for name in ("person", "role", "team", "installation")]
    section.close()
    return MonthLimits(*(amount if isinstance(amount, float) else None for amount in found))


def _cost_tags(body: Reader) -> tuple[str, ...] | None:
    keys = body.texts("costTags")
    if keys is not None and (len(keys) > MOST_COST_TAGS or len(set(keys)) < len(keys) or not all(keys)):
        body.error("costTags", "too-many", "At most {most} different keys of tags.", most=MOST_COST_TAGS)
    return keys


def _team(item: Reader) -> TeamRule:
    name = item.text("team") or ""
    if not name:
        item.error("team", "missing", "The name of a team, as the setting Teams has it.")
    return TeamRule(
        team=name,
        max_usd_hour=_amount(item, "maxUsdHour"),
        max_usd_lease=_amount(item, "maxUsdLease"),
        max_usd_month=_amount(item, "maxUsdMonth"),
        max_usd_month_team=_amount(item, "maxUsdMonthTeam"),
        ask_usd=_amount(item, "askUsd"),
        instance_types=item.texts("instanceTypes") or (),
        at_limit=_at_limit(item),
    )


def _at_limit(body: Reader) -> AtLimit | None:
    said = body.text("atLimit")
    if said in list(AtLimit):
        return AtLimit(said)
    if said is not None:
        body.error("atLimit", "unknown-value", "One of {names}.", names=", ".join(AtLimit))
    return None


def _ceiling(body: Reader, key: str) -> float | str | None:
    return _NONE if body.raw(key) == _NONE else _amount(body, key)


def _amount(body: Reader, key: str) -> float | None:
    value = body.raw(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_USD:
        body.error(
            key,
            "invalid-amount",
            "{key} is an amount of USD from 0 to {most}, such as 2.5.",
            key=key,
            most=f"{MOST_USD:,.0f}",
        )
        return None
    return abs(float(value))
