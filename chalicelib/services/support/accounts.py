"""The registry of accounts that are watched and take labs: registering and unregistering them, for administrators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.names import ACCOUNT, REGION
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.tree import AccountInUse, AccountNotRegistered, InvalidRequest, NotYours
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.lab import ALIVE, Lab
from chalicelib.ports.deps import Deps

#: The roles that the service may assume (`assume-member-read` in .chalice/statements.json); other roles are derived from them.
_ROLE_ARN = pattern(r"arn:aws[a-z-]*:iam::(\d{12}):role/ekslab-member[\w+=,.@-]{0,40}-read", re.ASCII)


def register(deps: Deps, caller: Caller, registration: Registration) -> Registration:
    """Watch an account from the next run on and take labs there if registered so, or change its registration.

    Facts that its labs need stay: their regions, and the role. Raises NotYours, InvalidRequest, AccountInUse.
    """
    refuse_others(caller)
    findings = _findings(registration, deps.watch.home)
    if findings:
        raise InvalidRequest(findings)
    left_out = {lab.id for lab in _labs_in(deps, registration.account) if lab.region not in registration.regions}
    if left_out and registration.account != deps.watch.home:
        raise AccountInUse(registration.account, tuple(sorted(left_out)), Sentence("are in regions that you left out"))
    deps.watch.store.register(registration)
    return as_it_is(deps, registration)


def unregister(deps: Deps, caller: Caller, account: str) -> None:
    """Stop watching it; the next run forgets its clusters. Absent is fine. Raises NotYours, AccountInUse.

    The service's own account is then watched in the installation's regions again, and its labs go on.
    """
    refuse_others(caller)
    if account != deps.watch.home:
        labs = tuple(sorted(lab.id for lab in _labs_in(deps, account)))
        if labs:
            raise AccountInUse(account, labs, Sentence("live there, and nobody could end them"))
    deps.watch.store.unregister(account)


def all_registered(deps: Deps) -> tuple[Registration, ...]:
    """Every watched account, the service's own included."""
    return tuple(as_it_is(deps, known) for known in deps.watch.registered())


def as_it_is(deps: Deps, known: Registration) -> Registration:
    """The registration. The service's own account always takes labs, also if it is registered without labs."""
    return replace(known, labs=True) if known.account == deps.watch.home else known


def registered(deps: Deps, account: str) -> Registration:
    """One account, the service's own included. Raises AccountNotRegistered."""
    found = (known for known in all_registered(deps) if known.account == account)
    known = next(found, None)
    if known is None:
        raise AccountNotRegistered(account)
    return known


def place_of(deps: Deps, key: ClusterKey) -> Place:
    """The place of a cluster, with the role to act there."""
    roles = {registration.account: registration.role_arn for registration in deps.watch.store.registrations()}
    return Place(key.account, key.region, roles.get(key.account))


def refuse_others(caller: Caller) -> None:
    """Raise NotYours for everyone but administrators."""
    if not caller.is_admin:
        raise NotYours("Which accounts are registered is for administrators to say.")


def _labs_in(deps: Deps, account: str) -> Iterator[Lab]:
    """Every lab of the account that is not over. Reads all living labs: accounts rarely change."""
    return (lab for lab in deps.store.all_labs(None, ALIVE) if lab.account == account)


def _findings(registration: Registration, home: str) -> list[Finding]:
    found = []
    if not ACCOUNT.fullmatch(registration.account):
        found.append(
            error("account", "invalid-account", "{account} is no account id: 12 digits.", account=registration.account)
        )
    if not registration.regions:
        found.append(error("regions", "missing", "Name at least one region."))
    found += [
        error(f"regions[{index}]", "invalid-region", "{region} is no AWS region such as ap-northeast-2.", region=region)
        for index, region in enumerate(registration.regions)
        if not REGION.fullmatch(region)
    ]
    role = _ROLE_ARN.fullmatch(registration.role_arn or "")
    if registration.role_arn is None and registration.account != home:
        found.append(
            error("roleArn", "missing", "Another account is entered with a role there; see docs/how-to/accounts.md.")
        )
    elif registration.role_arn is not None and (role is None or role[1] != registration.account):
        wanted = f"arn:aws:iam::{registration.account}:role/ekslab-member-read"
        message = Sentence(
            "{role} can't be used: the role must be of that account, and called as in {wanted}.",
            role=registration.role_arn,
            wanted=wanted,
        )
        found.append(error("roleArn", "invalid-role", message))
    return found
