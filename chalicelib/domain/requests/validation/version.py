"""Rules for the Kubernetes version and the lease: the version must be on the calendar and its support outlast the lab."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.domain.core.names import MINOR_VERSION
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.support.calendar import SupportStatus, VersionSupport


def judge_version(case: ValidationContext) -> Iterator[Finding]:
    """The version is known, released, not ended, and supported until the lease ends, by the support policy asked for."""
    version = case.spec.version
    entry = case.calendar.get(version)
    if not version:
        yield error("version", "no-version", "The calendar names no version in standard support: name a version.")
    elif not MINOR_VERSION.fullmatch(version):
        yield error("version", "invalid-version", f'Name a minor version, such as "1.36". {_offer(case)}')
    elif entry is None:
        yield error("version", "version-unknown", f"{_why_unknown(case)} {_offer(case)}")
    elif entry.status_at(case.now) is SupportStatus.UNSUPPORTED:
        ended = _day(entry.end_of_extended)
        yield error("version", "version-ended", f"EKS support of {version} ended on {ended}. {_offer(case)}")
    elif entry not in case.calendar.available(case.now):
        yield error("version", "version-unreleased", f"EKS does not offer {version} yet. {_offer(case)}")
    else:
        yield from _judge_support(case, entry)


def judge_lease(case: ValidationContext) -> Iterator[Finding]:
    """The lease is at least an hour and at most what this installation allows."""
    hours, most = case.spec.lease_hours, case.limits.max_lease_hours
    if not 1 <= hours <= most:
        yield error("leaseHours", "lease-out-of-range", f"A lease is 1 to {most} hours, not {hours}.")


def _judge_support(case: ValidationContext, entry: VersionSupport) -> Iterator[Finding]:
    ends = requested_lease_end(case)
    if case.spec.support_policy is SupportPolicy.EXTENDED:
        if entry.end_of_extended < ends:
            yield _too_short(case, "Extended", entry.end_of_extended)
        elif entry.end_of_standard < ends:
            since = _day(entry.end_of_standard)
            message = f"{entry.version} is in extended support from {since}: the control plane costs $0.60 an hour, not $0.10."
            yield warning("supportPolicy", "extended-support", message)
        else:
            message = "A lab in EXTENDED may drift into $0.60 an hour when standard support ends; STANDARD never does."
            yield warning("supportPolicy", "extended-support", message)
    elif entry.end_of_standard <= case.now:
        message = (
            f"Standard support of {entry.version} ended on {_day(entry.end_of_standard)}; it is to be had with support policy "
            f"EXTENDED only, at $0.60 an hour. {_offer(case)}"
        )
        yield error("version", "version-extended", message)
    elif entry.end_of_standard < ends:
        yield _too_short(case, "Standard", entry.end_of_standard)


def requested_lease_end(case: ValidationContext) -> datetime:
    """When the lease would end; a lease out of range (an error of its own) counts as the longest allowed."""
    return case.now + timedelta(hours=max(1, min(case.spec.lease_hours, case.limits.max_lease_hours)))


def _why_unknown(case: ValidationContext) -> str:
    asked = tuple(int(part) for part in case.spec.version.split("."))
    oldest = min((entry.sort_key for entry in case.calendar.versions), default=asked)
    age = "its support ended long ago" if asked < oldest else "EKS does not know it"
    return f"{case.spec.version} is not on EKS's calendar ({case.calendar.source}): {age}."


def _too_short(case: ValidationContext, kind: str, end: datetime) -> Finding:
    message = (
        f"{kind} support of {case.spec.version} ends on {_day(end)}, before the lab does "
        f"({requested_lease_end(case):%Y-%m-%dT%H:%MZ}). "
        f"{_offer(case)}"
    )
    return error("version", "support-too-short", message)


def _offer(case: ValidationContext) -> str:
    """The versions to be had, newest first, those in extended support apart."""
    open_now = case.calendar.available(case.now)
    standard = [v.version for v in open_now if v.status_at(case.now) is SupportStatus.STANDARD]
    extended = [v.version for v in open_now if v.status_at(case.now) is SupportStatus.EXTENDED]
    beside = f" (in extended support: {', '.join(extended)})" if extended else ""
    return f"Available: {', '.join(standard) or 'none'}{beside}."


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"
