"""A request before its judges: what was asked, what it would become, and the circumstances it is judged in."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.identity.accounts import LabAccounts
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.spec import LabSpec, Limits
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.schedule_input import USUAL_RULES, ScheduleRules
from chalicelib.domain.support.calendar import Calendar


@dataclass(frozen=True)
class ValidationContext:
    """`spec` is the draft made whole; rules look at the draft only to know what was said and what was filled in.

    `accounts` None: labs are in the caller's own account.
    """

    draft: Draft
    spec: LabSpec
    calendar: Calendar
    caller: Caller
    limits: Limits
    now: datetime
    evenings: ScheduleRules = USUAL_RULES
    accounts: LabAccounts | None = None

    @property
    def account(self) -> str:
        """The account the lab would be made in."""
        home = self.accounts.home if self.accounts else self.caller.account
        return home if self.draft.account is None else self.draft.account
