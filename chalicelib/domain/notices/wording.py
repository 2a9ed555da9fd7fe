"""Words for a person reading mail: days, dates, money, and paragraphs of a readable width.

Used by `digest.py` and `digest_section.py`, and by the chat and calendar documents. All dates are UTC and say their weekday.
"""

from __future__ import annotations

import textwrap
from datetime import datetime

from chalicelib.domain.notices.notice import Watched
from chalicelib.domain.support.assessment import days_left, utc
from chalicelib.domain.support.deadlines import EXTENDED_PER_HOUR, EXTENDED_PER_MONTH, Deadline, DeadlineKind

WIDTH = 88
#: With a no-break space, at which no line ends.
_TIED_PERCENT = "\N{NO-BREAK SPACE}%"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_told(at: datetime) -> str:
    """`Thu 26 Nov 2026`, in UTC and in English whatever the machine speaks."""
    day = utc(at)
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def days_told(days: int) -> str:
    """`in 3 days`, `tomorrow`, `today`, `yesterday`, `12 days ago`."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def counted(number: int, noun: str) -> str:
    """`1 cluster`, `4 clusters`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def paragraph(text: str, indent: str = "", first: str | None = None) -> str:
    """Text wrapped to `WIDTH`; `first` begins it, `indent` every line after. Long words stay whole, and so does `3 %`."""
    beginning = indent if first is None else first
    told = textwrap.fill(
        text.replace(" %", _TIED_PERCENT),
        WIDTH,
        initial_indent=beginning,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return told.replace(_TIED_PERCENT, " %")


def short_told(deadline: Deadline) -> str:
    """What a deadline is, in two or four words."""
    if deadline.kind is DeadlineKind.EXTENDED_BILLING:
        return "extended billing"
    return f"forced upgrade to {deadline.target or 'the next version'}"


def deadline_headline(deadline: Deadline, now: datetime) -> str:
    """A deadline and its day as half a sentence: `forced upgrade to 1.32 in 3 days`."""
    days = days_left(deadline, now)
    if days >= 0:
        return f"{short_told(deadline)} {days_told(days)}"
    if deadline.kind is DeadlineKind.EXTENDED_BILLING:
        return f"extended billing since {day_told(deadline.at)}"
    return f"{short_told(deadline)} any time now"


def cost_told(watched: Watched, now: datetime) -> str:
    """What doing nothing costs, in USD, as one sentence; empty where the calendar knows no dates."""
    support, following = watched.support, watched.support.next
    if support.begun and support.billed_extended:
        began = max(utc(support.begun.at), utc(watched.cluster.created_at or support.begun.at))
        so_far = max((utc(now) - began).total_seconds() / 3600, 0) * EXTENDED_PER_HOUR
        return (
            f"Doing nothing costs ${EXTENDED_PER_MONTH} a month in extended support: since {day_told(began)} about "
            f"${so_far:,.0f}, beside $73 a month for the control plane itself."
        )
    if following is None:
        return ""
    if following.kind is DeadlineKind.EXTENDED_BILLING:
        return (
            f"Doing nothing costs ${EXTENDED_PER_MONTH} a month from {day_told(following.at)}: $438 instead of $73 for "
            "the control plane."
        )
    return "Doing nothing costs no money: the policy is STANDARD. The upgrade then comes when AWS chooses."
