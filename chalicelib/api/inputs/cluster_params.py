"""Query parameters and bodies of the routes over watched clusters, read with all findings at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from chalicelib.api.inputs.params import (
    PageQuery,
    fields_of,
    instant_of,
    page_of,
    parameters_of,
    phases_of,
)
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.services.support.queries import ClusterFilter

_WANTED = ("phase", "daysLeft", "owner", "account", "region")
_SUPPORT_TYPES = ("STANDARD", "EXTENDED")


def read_clusters(given: Mapping[str, str]) -> tuple[ClusterFilter, PageQuery]:
    """`phase` (several: comma-separated), `daysLeft`, `owner`, `account`, `region`, `limit`, `cursor`. Raises InvalidRequest."""
    with parameters_of(given, *_WANTED, "limit", "cursor") as findings:
        return _wanted(given, findings), page_of(given, findings)


def read_wanted(given: Mapping[str, str]) -> ClusterFilter:
    """The same filters without pages. Raises InvalidRequest."""
    with parameters_of(given, *_WANTED) as findings:
        return _wanted(given, findings)


def read_snooze(raw: bytes, content_type: str | None) -> datetime:
    """`until`: an instant with its time zone. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        until = instant_of(body, "until")
        if not body.has("until"):
            body.error("until", "missing", "until is required: an instant such as 2026-12-01T00:00:00Z.")
    return until or datetime.max.replace(tzinfo=UTC)


def read_policy(raw: bytes, content_type: str | None) -> str:
    """`supportType`: STANDARD or EXTENDED. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        asked = body.text("supportType")
        if asked not in _SUPPORT_TYPES:
            body.error("supportType", "invalid-support-type", "supportType is STANDARD or EXTENDED.")
    return str(asked)


def read_registration(account: str, raw: bytes, content_type: str | None) -> Registration:
    """`regions`, and as needed `name`, `roleArn`, `owner`, `team`, `labs`. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        return Registration(
            account=account,
            name=body.text("name") or account,
            regions=tuple(dict.fromkeys(body.texts("regions") or ())),
            role_arn=body.text("roleArn"),
            owner=body.text("owner"),
            team=body.text("team"),
            labs=bool(body.flag("labs")),
        )


def _wanted(given: Mapping[str, str], findings: list[Finding]) -> ClusterFilter:
    known = phases_of(given, SupportPhase, findings)
    days = _days(given["daysLeft"], findings) if "daysLeft" in given else None
    return ClusterFilter(known, days, given.get("owner"), given.get("account"), given.get("region"))


def _days(text: str, findings: list[Finding]) -> int | None:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 5:
        return int(text)
    findings.append(
        error("daysLeft", "invalid-days", "daysLeft is a whole number of days, not {text}.", text=text[:20])
    )
    return None
