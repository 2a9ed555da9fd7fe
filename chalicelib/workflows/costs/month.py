"""The monthly mails: on the first days of a month the five-minute run mails each owner, then finance, the past month's costs.

Runs only if administrators named finance (`PUT /offers {"finance": ...}`). Each mail is posted, then noted: a mail that is posted
twice is sent once. Finance's mail is the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from chalicelib.domain.core.recipients import recipient_of
from chalicelib.domain.curfew.messages.month import LabMonth, MonthMail, lab_month, month_message
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spending import COST, LABS, MonthSum, Scope
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.posts import each_alone, post

#: The last day of the month on which missed mails are made up for.
_LAST_DAY = 3
#: Mails per run; the next run sends the others.
_AT_ONCE = 20
#: The newest labs read per owner, or of all owners; and how many of them show their last verdict.
_LABS, _LOOKED_AT = 500, 50
#: The name under which finance's mail is noted.
_FINANCE = ""


def tell_month(deps: Deps, now: datetime) -> int:
    """Post the mails that are due; return their number. A failure comes up once all others are posted."""
    local = now.astimezone(ZoneInfo(deps.curfew.zone))
    if local.day > _LAST_DAY or not (finance := deps.store.offers().finance):
        return 0
    month = f"{local.replace(day=1) - timedelta(days=1):%Y-%m}"
    told = deps.store.month_told(month)
    people = tuple(one for one in deps.store.month_people([month])[month] if one.amounts.get(LABS))
    due = [one for one in people if one.whose not in told]
    sent = 0
    with each_alone() as alone:
        for one in due:
            if sent == _AT_ONCE:
                return sent
            with alone(one.whose):
                sent += _tell(deps, one.whose, _of_person(deps, month, one, now), now)
        if _FINANCE not in told:
            with alone(_FINANCE):
                sent += _tell(deps, _FINANCE, _of_all(deps, month, people, finance, now), now)
    return sent


def _tell(deps: Deps, whose: str, mail: MonthMail, now: datetime) -> int:
    post(deps, [month_message(mail, deps.watch.home)], f"{mail.month} {whose}")
    deps.store.note_month_told(mail.month, whose, now)
    return 1


def _of_person(deps: Deps, month: str, one: MonthSum, now: datetime) -> MonthMail:
    labs = [lab for identity in one.identities for lab in islice(deps.store.all_labs(identity, ()), _LABS)]
    mine = _of_month(deps, labs, month, now)
    return MonthMail(month, recipient_of(one.whose), one.amounts, mine, owner=one.identities[0])


def _of_all(deps: Deps, month: str, people: tuple[MonthSum, ...], finance: str, now: datetime) -> MonthMail:
    everybody = (month, Scope.INSTALLATION, "")
    amounts = deps.store.sums_at([everybody])[everybody]
    dearest = sorted(((one.whose, one.amounts.get(COST, 0)) for one in people), key=lambda each: (-each[1], each[0]))
    labs = _of_month(deps, islice(deps.store.all_labs(None, ()), _LABS), month, now)
    return MonthMail(month, finance, amounts, labs, tuple(dearest))


def _of_month(deps: Deps, labs: Iterable[Lab], month: str, now: datetime) -> tuple[LabMonth, ...]:
    """The labs that cost something in the month, dearest first; the dearest ones with their last verdict."""
    found = (lab_month(lab, month, now) for lab in labs)
    dearest = sorted((each for each in found if each.cost), key=lambda each: (-each.cost, each.lab.id))
    looked_at = (replace(each, verdict=deps.curfew.store.verdict(each.lab.id)) for each in dearest[:_LOOKED_AT])
    return (*looked_at, *dearest[_LOOKED_AT:])
