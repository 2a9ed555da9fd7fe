"""Rules for add-ons and external-dns."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chalicelib.domain.core.names import ADDON, DOMAIN, HOSTED_ZONE_ID
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.requests.validation.context import Case

#: Without these no node becomes ready, or no pod finds another.
_VITAL = ("vpc-cni", "kube-proxy", "coredns")


def judge_addons(case: Case) -> Iterator[Finding]:
    """Each add-on once, with configuration that is JSON; external-dns only together with a hosted zone."""
    seen: set[str] = set()
    for index, addon in enumerate(case.draft.addons):
        path = f"addons[{index}]"
        if not ADDON.fullmatch(addon.name):
            yield error(f"{path}.name", "invalid-name", f"{addon.name!r} is no add-on's name: they look like vpc-cni.")
        if addon.name in seen:
            yield error(f"{path}.name", "duplicate", f"{addon.name} is listed already.")
        seen.add(addon.name)
        if addon.configuration is not None and not _is_json_object(addon.configuration):
            yield error(f"{path}.configuration", "invalid-json", "The configuration is not the text of a JSON object.")
        if addon.name == "external-dns" and case.draft.external_dns is None:
            message = (
                "external-dns gets rights on one hosted zone only: name it, with ekslab's own body, in externalDns."
            )
            yield error(f"{path}.name", "no-hosted-zone", message)
    missing = [name for name in _VITAL if name not in {addon.name for addon in case.spec.addons}]
    if missing:
        yield warning(
            "addons", "vital-addons", f"Without {', '.join(missing)} nodes do not become ready, or pods find nothing."
        )


def judge_external_dns(case: Case) -> Iterator[Finding]:
    """A hosted zone is named, by id or by domain."""
    asked = case.draft.external_dns
    if asked is None:
        return
    if not asked.hosted_zone_id and not asked.domain and not case.draft.is_partly_broken("externalDns"):
        yield error("externalDns", "no-hosted-zone", "Name the hosted zone: hostedZoneId, domain, or both.")
    if asked.hosted_zone_id and not HOSTED_ZONE_ID.fullmatch(asked.hosted_zone_id):
        yield error(
            "externalDns.hostedZoneId", "invalid-id", "Not a hosted zone's id: they look like Z0123456789ABCDEFGHIJ."
        )
    if asked.domain and not DOMAIN.fullmatch(asked.domain):
        yield error("externalDns.domain", "invalid-domain", "Not a domain name: they look like lab.example.com.")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
