"""Words for readers of mail: days, dates, money, and paragraphs of a readable width.

Used by `digest.py` and `digest_text.py`, and by the chat and calendar documents. All dates are UTC with their weekday.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.wording import format_day, format_days
from chalicelib.domain.support.assessment import days_left
from chalicelib.domain.support.deadlines import EXTENDED_PER_HOUR, EXTENDED_PER_MONTH, Deadline, DeadlineKind
from chalicelib.domain.support.watched import Watched


def describe_briefly(deadline: Deadline) -> str:
    """A deadline in two or four words."""
    if deadline.kind is DeadlineKind.EXTENDED_BILLING:
        return Sentence("extended billing")
    if deadline.target:
        return Sentence("forced upgrade to {version}", version=deadline.target)
    return Sentence("forced upgrade to the next version")


def began_at(watched: Watched, deadline: Deadline) -> datetime:
    """Since when a past deadline concerns this cluster: not before its creation, or before it ran this version."""
    billing = deadline.kind is DeadlineKind.EXTENDED_BILLING
    known = (deadline.at, *((watched.cluster.created_at, watched.version_since) if billing else ()))
    return max(utc(at) for at in known if at is not None)


def deadline_headline(watched: Watched, deadline: Deadline, now: datetime) -> str:
    """A deadline and its day as half a sentence: `forced upgrade to 1.32 in 3 days`."""
    days = days_left(deadline, now)
    if days >= 0:
        return Sentence("{what} {when}", what=describe_briefly(deadline), when=format_days(days))
    if deadline.kind is DeadlineKind.EXTENDED_BILLING:
        return Sentence("extended billing since {day}", day=format_day(began_at(watched, deadline)))
    return Sentence("{what} any time now", what=describe_briefly(deadline))


def describe_support_cost(watched: Watched, now: datetime) -> str:
    """The cost of doing nothing, in USD, as one sentence; empty if the calendar has no dates."""
    support, following = watched.support, watched.support.next
    if support.begun and support.billed_extended:
        began = began_at(watched, support.begun)
        so_far = max((utc(now) - began).total_seconds() / 3600, 0) * EXTENDED_PER_HOUR
        sure = watched.version_since is not None or (watched.cluster.created_at or support.begun.at) >= support.begun.at
        slots: dict[str, str | int] = {
            "month": EXTENDED_PER_MONTH,
            "day": format_day(began),
            "amount": f"${so_far:,.0f}",
        }
        if sure:
            return Sentence(
                "Doing nothing costs ${month} a month in extended support: since {day} about {amount} for this version, beside "
                "$73 a month for the control plane itself.",
                **slots,
            )
        return Sentence(
            "Doing nothing costs ${month} a month in extended support: since {day} at most {amount} for this version, beside "
            "$73 a month for the control plane itself.",
            **slots,
        )
    if following is None:
        return ""
    if following.kind is DeadlineKind.EXTENDED_BILLING:
        return Sentence(
            "Doing nothing costs ${month} a month from {day}: $438 instead of $73 for the control plane.",
            month=EXTENDED_PER_MONTH,
            day=format_day(following.at),
        )
    return Sentence("Doing nothing costs no money: the policy is STANDARD. The upgrade then comes when AWS chooses.")
