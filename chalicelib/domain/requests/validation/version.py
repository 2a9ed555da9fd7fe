"""Rules for the Kubernetes version and the lease: the version must be on the calendar and its support outlast the lab."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.domain.core.names import MINOR_VERSION
from chalicelib.domain.core.sentence import Sentence, joined, opening
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.support.calendar import SupportStatus, VersionSupport


def judge_version(case: ValidationContext) -> Iterator[Finding]:
    """The version is known, released, not ended, and supported until the lease ends, by the requested support policy."""
    version = case.spec.version
    entry = case.calendar.get(version)
    if not version:
        yield error("version", "no-version", "The calendar names no version in standard support: name a version.")
    elif not MINOR_VERSION.fullmatch(version):
        yield error("version", "invalid-version", 'Name a minor version, such as "1.36". {offer}', offer=_offer(case))
    elif entry is None:
        yield error("version", "version-unknown", joined((_why_unknown(case), _offer(case))))
    elif entry.status_at(case.now) is SupportStatus.UNSUPPORTED:
        ended = _day(entry.end_of_extended)
        yield error(
            "version",
            "version-ended",
            "EKS support of {version} ended on {ended}. {offer}",
            version=version,
            ended=ended,
            offer=_offer(case),
        )
    elif entry not in case.calendar.available(case.now):
        yield error(
            "version",
            "version-unreleased",
            "EKS does not offer {version} yet. {offer}",
            version=version,
            offer=_offer(case),
        )
    else:
        yield from _judge_support(case, entry)


def judge_lease(case: ValidationContext) -> Iterator[Finding]:
    """The lease is at least an hour and at most this installation's limit."""
    hours, most = case.spec.lease_hours, case.limits.max_lease_hours
    if not 1 <= hours <= most:
        yield error(
            "leaseHours", "lease-out-of-range", "A lease is 1 to {most} hours, not {hours}.", most=most, hours=hours
        )


def _judge_support(case: ValidationContext, entry: VersionSupport) -> Iterator[Finding]:
    ends = requested_lease_end(case)
    if case.spec.support_policy is SupportPolicy.EXTENDED:
        if entry.end_of_extended < ends:
            yield _too_short(case, Sentence("extended support"), entry.end_of_extended)
        elif entry.end_of_standard < ends:
            since = _day(entry.end_of_standard)
            message = Sentence(
                "{version} is in extended support from {since}: the control plane costs $0.60 an hour, not $0.10.",
                version=entry.version,
                since=since,
            )
            yield warning("supportPolicy", "extended-support", message)
        else:
            message = Sentence(
                "A lab in EXTENDED may drift into $0.60 an hour when standard support ends; STANDARD never does."
            )
            yield warning("supportPolicy", "extended-support", message)
    elif entry.end_of_standard <= case.now:
        message = Sentence(
            "Standard support of {version} ended on {day}; it is to be had with support policy "
            "EXTENDED only, at $0.60 an hour. {offer}",
            version=entry.version,
            day=_day(entry.end_of_standard),
            offer=_offer(case),
        )
        yield error("version", "version-extended", message)
    elif entry.end_of_standard < ends:
        yield _too_short(case, Sentence("standard support"), entry.end_of_standard)


def requested_lease_end(case: ValidationContext) -> datetime:
    """The requested lease end; a lease out of range (an error of its own) counts as the longest allowed."""
    return case.now + timedelta(hours=max(1, min(case.spec.lease_hours, case.limits.max_lease_hours)))


def _why_unknown(case: ValidationContext) -> str:
    asked = tuple(int(part) for part in case.spec.version.split("."))
    oldest = min((entry.sort_key for entry in case.calendar.versions), default=asked)
    age = Sentence("its support ended long ago") if asked < oldest else Sentence("EKS does not know it")
    return Sentence(
        "{version} is not on EKS's calendar ({source}): {age}.",
        version=case.spec.version,
        source=case.calendar.source,
        age=age,
    )


def _too_short(case: ValidationContext, kind: str, end: datetime) -> Finding:
    message = Sentence(
        "{support} of {version} ends on {day}, before the lab does ({end}). {offer}",
        support=opening(kind),
        version=case.spec.version,
        day=_day(end),
        end=f"{requested_lease_end(case):%Y-%m-%dT%H:%MZ}",
        offer=_offer(case),
    )
    return error("version", "support-too-short", message)


def _offer(case: ValidationContext) -> str:
    """The available versions, newest first, those in extended support apart."""
    open_now = case.calendar.available(case.now)
    standard = [v.version for v in open_now if v.status_at(case.now) is SupportStatus.STANDARD]
    extended = [v.version for v in open_now if v.status_at(case.now) is SupportStatus.EXTENDED]
    names = ", ".join(standard) or Sentence("none")
    if not extended:
        return Sentence("Available: {names}.", names=names)
    return Sentence("Available: {names} (in extended support: {others}).", names=names, others=", ".join(extended))


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"
