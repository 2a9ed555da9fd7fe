"""The one entry point from a request's bytes to a complete LabSpec, or to all its faults at once.

In two steps, because the calendar depends on the body's region: `read_draft` reads either dialect,
`complete_request` fills in and judges. `read_asked` does both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chalicelib.api.inputs.body import read_body
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.names import REGION
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, Level, error, has_errors
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.identity.accounts import LabAccounts
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.spec import AddonSpec, LabSpec, Limits
from chalicelib.domain.requests.defaults import ValidationContext, usual_region
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.eksctl.config import is_cluster_config, read_cluster_config
from chalicelib.domain.requests.schedule_input import ScheduleRules
from chalicelib.domain.requests.validation.validate import complete, in_callers_words
from chalicelib.domain.support.calendar import Calendar
from chalicelib.ports.deps import Ahead, Deps
from chalicelib.services.labs.commands import ValidatedRequest
from chalicelib.services.labs.queries import versions

#: More than anyone reads at once; a body of 64 KiB can have thousands.
MOST_FINDINGS = 300
_NOT_YET = Sentence(
    "What only AWS knows (names, zones, instance types, key pairs, add-ons) is checked once these are right."
)


@dataclass(frozen=True)
class LabRequest:
    """A request that was read: its draft, and the findings of reading."""

    draft: Draft
    findings: tuple[Finding, ...]

    def region(self, limits: Limits, accounts: LabAccounts | None = None) -> str:
        """The region whose calendar to read: the requested one if it is valid and allowed, else the default."""
        asked = self.draft.region
        known = asked is not None and REGION.fullmatch(asked) and (not limits.regions or asked in limits.regions)
        return asked if asked is not None and known else usual_region(self.draft, limits, accounts)

    def in_callers_words(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Findings made later (domain/requests/preflight.py), by the paths that the caller wrote."""
        return in_callers_words(self.draft, findings)


def read_asked(
    deps: Deps, caller: Caller, raw: bytes, content_type: str | None, now: datetime, ahead: Ahead | None = None
) -> tuple[ValidatedRequest, Calendar]:
    """A body as a request for commands, and the calendar of its region, which judged it. For the API and the page.

    `ahead`: the records already read for it. Raises InvalidRequest.
    """
    request = read_draft(raw, content_type)
    accounts = deps.lab_accounts() if request.draft.account else None
    calendar = versions(deps, request.region(deps.limits, accounts))
    evenings = ScheduleRules(deps.curfew.schedule, deps.curfew.is_known_country)
    context = ValidationContext(request.draft, calendar, caller, deps.limits, now, evenings, accounts)
    spec, findings = complete_request(request.findings, context)
    account = request.draft.account
    return ValidatedRequest(spec, findings, request.in_callers_words, account, calendar, ahead), calendar


def read_draft(raw: bytes, content_type: str | None) -> LabRequest:
    """Read a body of either dialect. Raises InvalidRequest only if it is not a mapping; other findings wait."""
    document = read_body(raw, content_type)
    from chalicelib.api.inputs.lab_body import read_own

    draft, findings = read_cluster_config(document) if is_cluster_config(document) else read_own(document)
    return LabRequest(_in_json(draft), findings)


def complete_request(read: Iterable[Finding], context: ValidationContext) -> tuple[LabSpec, tuple[Finding, ...]]:
    """The complete spec and the warnings. `read`: the findings of reading. Raises InvalidRequest with every finding."""
    spec, judged = complete(context)
    findings = tuple(dict.fromkeys((*read, *judged)))
    if spec is None or has_errors(findings):
        raise InvalidRequest(_describe(findings), _NOT_YET)
    return spec, findings


def _describe(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings; if there are more than anyone reads (and a response holds), errors are kept first."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    kept = sorted(findings, key=lambda finding: finding.severity is not Level.ERROR)[:MOST_FINDINGS]
    return (
        *kept,
        error("", "more-findings", "There are {what} more findings.", what=len(findings) - MOST_FINDINGS),
    )


def _in_json(draft: Draft) -> Draft:
    """The draft with add-ons' configurations as JSON text, also those written as YAML mappings. Other text stays, for the rules."""
    if not any(addon.configuration for addon in draft.addons):
        return draft
    return replace(draft, addons=tuple(map(_addon_in_json, draft.addons)))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _addon_in_json(addon: AddonSpec) -> AddonSpec:
    text = addon.configuration
    if not text or _is_json(text):
        return addon
    from chalicelib.api.inputs.yaml_body import read_yaml

    try:
        read = read_yaml(text)
    except InvalidRequest:
        return addon
    return replace(addon, configuration=json.dumps(read, sort_keys=True)) if isinstance(read, dict) else addon
