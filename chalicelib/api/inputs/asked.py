"""Turns a body into a request for commands: read, completed by the calendar of its region, judged. For the API and the page."""

from __future__ import annotations

from datetime import datetime

from chalicelib.api.inputs.lab_request import complete_request, read_draft
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.schedule_input import ScheduleRules
from chalicelib.domain.support.calendar import Calendar
from chalicelib.ports.deps import Ahead, Deps
from chalicelib.services.labs.commands import ValidatedRequest
from chalicelib.services.labs.queries import versions


def read_asked(
    deps: Deps, caller: Caller, raw: bytes, content_type: str | None, now: datetime, ahead: Ahead | None = None
) -> tuple[ValidatedRequest, Calendar]:
    """The request, and the calendar that judged it. `ahead`: the records already read for it. Raises InvalidRequest."""
    request = read_draft(raw, content_type)
    accounts = deps.lab_accounts() if request.draft.account else None
    calendar = versions(deps, request.region(deps.limits, accounts))
    evenings = ScheduleRules(deps.curfew.schedule, deps.curfew.is_known_country)
    context = ValidationContext(request.draft, calendar, caller, deps.limits, now, evenings, accounts)
    spec, findings = complete_request(request.findings, context)
    account = request.draft.account
    return ValidatedRequest(spec, findings, request.in_callers_words, account, calendar, ahead), calendar
