"""Which accounts are watched: registering and forgetting them, for administrators."""

from __future__ import annotations

import re

from chalicelib.domain.errors import InvalidRequest, NotYours
from chalicelib.domain.findings import Finding, error
from chalicelib.domain.fleet import ClusterKey, Place, Registration
from chalicelib.domain.lab import Caller
from chalicelib.domain.names import REGION
from chalicelib.ports import Deps

_ACCOUNT = re.compile(r"\d{12}")
#: What the service may assume (`assume-watch-roles` in .chalice/statements.json).
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/ekslab-watch[\w+=,.@-]*")


def register(deps: Deps, caller: Caller, registration: Registration) -> Registration:
    """Watch an account from the next run on, or change how. Raises NotYours, InvalidRequest."""
    _refuse_others(caller)
    findings = _findings(registration, deps.watch.home)
    if findings:
        raise InvalidRequest(findings)
    deps.watch.store.register(registration)
    return registration


def unregister(deps: Deps, caller: Caller, account: str) -> None:
    """Watch it no more; the next run forgets its clusters. Absent is fine. Raises NotYours."""
    _refuse_others(caller)
    deps.watch.store.unregister(account)


def place_of(deps: Deps, key: ClusterKey) -> Place:
    """Where a cluster is, with the role to act there."""
    roles = {registration.account: registration.role_arn for registration in deps.watch.store.registrations()}
    return Place(key.account, key.region, roles.get(key.account))


def _refuse_others(caller: Caller) -> None:
    if not caller.is_admin:
        raise NotYours("Which accounts are watched is for administrators to say.")


def _findings(registration: Registration, home: str) -> list[Finding]:
    found = []
    if not _ACCOUNT.fullmatch(registration.account):
        found.append(error("account", "invalid-account", f"{registration.account} is no account id: 12 digits."))
    if not registration.regions:
        found.append(error("regions", "missing", "Name at least one region."))
    found += [
        error(f"regions[{index}]", "invalid-region", f"{region} is no AWS region such as ap-northeast-2.")
        for index, region in enumerate(registration.regions)
        if not REGION.fullmatch(region)
    ]
    role = _ROLE_ARN.fullmatch(registration.role_arn or "")
    if registration.role_arn is None and registration.account != home:
        found.append(
            error("roleArn", "missing", "Another account is read with a role there; see docs/support-watch.md.")
        )
    elif registration.role_arn is not None and (role is None or role[1] != registration.account):
        wanted = f"arn:aws:iam::{registration.account}:role/ekslab-watch"
        message = f"{registration.role_arn} can't be used: the role must be of that account and its name begin as in {wanted}."
        found.append(error("roleArn", "invalid-role", message))
    return found
