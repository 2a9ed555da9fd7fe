"""The list of offered resources for callers: their own part, or all of it for administrators."""

from __future__ import annotations

from typing import Any

from chalicelib.api.views.json_format import to_json
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.patterns import fits
from chalicelib.domain.requests.ceilings import MonthLimits, TeamRule
from chalicelib.domain.requests.offers import NetworkOffer, PodRoleOffer
from chalicelib.services.labs.offers import OffersView


def offers_view(seen: OffersView, caller: Caller) -> dict[str, Any]:
    """As JSON, in the shape of the body of PUT /offers."""
    offers = seen.offers
    view: dict[str, Any] = {
        **to_json(offers),
        "networks": [_network(network) for network in offers.networks],
        "podRoles": [_role(role, caller) for role in offers.pod_roles if caller.is_admin or _may_use(role, caller)],
        "maxUsdMonth": _said(offers.max_usd_month),
        "teams": [_team(rule) for rule in offers.teams],
    }
    if caller.is_admin:
        return {**view, "findings": [to_json(finding) for finding in seen.findings]}
    del view["finance"], view["changedBy"]
    return view


def _network(offer: NetworkOffer) -> dict[str, Any]:
    named = {"vpcId": offer.vpc_id, "subnetIds": list(offer.subnet_ids), "stackId": offer.stack_id}
    return {name: value for name, value in named.items() if value}


def _role(offer: PodRoleOffer, caller: Caller) -> dict[str, Any]:
    return {"roleArn": offer.role_arn, **({"owners": list(offer.owners)} if caller.is_admin else {})}


def _may_use(offer: PodRoleOffer, caller: Caller) -> bool:
    return fits((caller.identity,), offer.owners)


def _team(rule: TeamRule) -> dict[str, Any]:
    shown = {**_said(rule), "instanceTypes": list(rule.instance_types)}
    return {name: value for name, value in shown.items() if value != []}


def _said(limits: MonthLimits | TeamRule) -> dict[str, Any]:
    return {name: value for name, value in to_json(limits).items() if value is not None}
