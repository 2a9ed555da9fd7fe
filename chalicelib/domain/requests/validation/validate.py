"""Completes a draft and judges it: every rule runs, and every finding is returned by the caller's path.

A rule is a function from a ValidationContext to findings in our own paths; this module runs all rules and translates the paths.
`preflight.py` applies the rules that need facts from AWS (do these subnets exist?).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from chalicelib.domain.core.names import ACCOUNT, CLUSTER, PASSING_SESSION, REGION, principal_of, same_principal
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, has_errors, warning
from chalicelib.domain.labs.spec import LabSpec
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.eksctl.config import LOG_TYPES
from chalicelib.domain.requests.schedule_input import read_schedule
from chalicelib.domain.requests.validation.access import (
    judge_access,
    judge_addons,
    judge_external_dns,
    judge_pod_identities,
)
from chalicelib.domain.requests.validation.endpoint import judge_endpoint, judge_ssh
from chalicelib.domain.requests.validation.limits import judge_lists, judge_tags
from chalicelib.domain.requests.validation.network import judge_network, judge_placement
from chalicelib.domain.requests.validation.nodegroups import judge_nodegroups
from chalicelib.domain.requests.validation.version import judge_lease, judge_version


def complete(context: ValidationContext) -> tuple[LabSpec | None, tuple[Finding, ...]]:
    """The completed spec, None if any finding is an error, and all findings."""
    found = in_callers_words(context.draft, (finding for rule in _RULES for finding in rule(context)))
    return None if has_errors(found) else context.spec, found


def in_callers_words(draft: Draft, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by the caller's own paths, each once, without those in unreadable parts."""
    text = (replace(finding, path=draft.caller_path(finding.path)) for finding in findings)
    return tuple(dict.fromkeys(finding for finding in text if not draft.is_broken(finding.path)))


def _judge_caller(case: ValidationContext) -> Iterator[Finding]:
    """The owner is the session: one with a random name is a different owner after the next login."""
    if PASSING_SESSION.fullmatch(case.caller.arn) and not case.caller.in_directory:
        message = Sentence(
            "The lab will belong to {identity}, a session name that a tool made up: after the next "
            "login you would not find it again. Set role_session_name in your AWS profile to a name "
            "of your own.",
            identity=case.caller.identity,
        )
        yield warning("", "passing-session", message)


def _judge_shared(case: ValidationContext) -> Iterator[Finding]:
    """An access entry is created for the role behind a session: EKS does not tell its sessions apart."""
    role = principal_of(case.caller.arn)
    if role is None or ":role/" not in role:
        return
    if any(same_principal(entry.principal_arn, role) for entry in case.spec.access):
        message = (
            Sentence(
                "Everybody who has the permission set of {role} gets into this cluster with the same rights: EKS knows the role "
                "alone.",
                role=role,
            )
            if case.caller.in_directory
            else Sentence(
                "Everybody who may assume {role} gets into this cluster with the same rights: EKS knows the role alone.",
                role=role,
            )
        )
        yield warning("access", "shared-principal", message)


def _judge_name(case: ValidationContext) -> Iterator[Finding]:
    name = case.spec.name
    if not name:
        yield error("name", "missing", "Give the lab a name: it becomes the cluster's.")
    elif not CLUSTER.fullmatch(name):
        rule = Sentence("1 to 100 letters, digits, dashes and underscores, beginning with a letter or digit")
        yield error("name", "invalid-name", "EKS refuses this name: it takes {rule}.", rule=rule)


def _judge_account(case: ValidationContext) -> Iterator[Finding]:
    account, accounts = case.account, case.accounts
    if accounts is None or case.draft.account is None:
        return
    if not ACCOUNT.fullmatch(account):
        yield error("account", "invalid-account", "Not an AWS account: they have 12 digits.")
    elif not accounts.takes_labs(account):
        offered = ", ".join(sorted({accounts.home, *accounts.members}))
        message = Sentence(
            "Labs are not made in {account}; they are in {offered}. Administrators register accounts.",
            account=account,
            offered=offered,
        )
        yield error("account", "account-not-registered", message)
    elif not accounts.offers(account, case.spec.region):
        regions = ", ".join(accounts.members[account])
        yield error(
            "region",
            "region-not-offered",
            "In account {account}, labs are made in {regions} only.",
            account=account,
            regions=regions,
        )


def _judge_region(case: ValidationContext) -> Iterator[Finding]:
    region, allowed = case.spec.region, case.limits.regions
    if not REGION.fullmatch(region):
        yield error("region", "invalid-region", "Not the name of an AWS region: they look like ap-northeast-2.")
    elif allowed and region not in allowed:
        yield error(
            "region",
            "region-not-allowed",
            "Labs are not offered in {region}; they are in {names}.",
            region=region,
            names=", ".join(allowed),
        )


def _judge_log_types(case: ValidationContext) -> Iterator[Finding]:
    for index, name in enumerate(case.draft.log_types):
        if name not in LOG_TYPES:
            yield error(
                f"logTypes[{index}]", "unknown-log-type", "EKS writes these: {names}.", names=", ".join(LOG_TYPES)
            )


def _judge_schedule(case: ValidationContext) -> Iterator[Finding]:
    yield from read_schedule(case.draft.schedule, case.evenings, "schedule")[1]


_RULES: tuple[Callable[[ValidationContext], Iterator[Finding]], ...] = (
    _judge_caller,
    _judge_shared,
    _judge_name,
    _judge_region,
    _judge_account,
    judge_lists,
    judge_version,
    judge_lease,
    judge_network,
    judge_placement,
    judge_endpoint,
    judge_nodegroups,
    judge_ssh,
    judge_external_dns,
    judge_addons,
    judge_access,
    judge_pod_identities,
    _judge_log_types,
    judge_tags,
    _judge_schedule,
)
