"""A cluster's support as numbers and words for an SVG template."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.support.deadlines import DeadlineKind, Support, deadlines_of


@dataclass(frozen=True)
class Stretch:
    """A part of a timeline, in hundredths of its width."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True)
class Timeline:
    """`now`: the place of today; `forced`: that of AWS's upgrade, None outside the drawing. `title` describes it in words."""

    spans: tuple[Stretch, ...]
    now: float
    forced: float | None
    title: str


#: The drawn span: a year back and two ahead.
_BACK, _AHEAD = timedelta(days=365), timedelta(days=730)


def timeline(support: Support, now: datetime) -> Timeline | None:
    """A cluster's support from a year ago to two years from now; None if no calendar has dates for its version."""
    known = {deadline.kind: deadline for deadline in deadlines_of(support)}
    forced, billing = known.get(DeadlineKind.FORCED_UPGRADE), known.get(DeadlineKind.EXTENDED_BILLING)
    first = billing or forced
    if first is None:
        return None
    spans = [
        _span(None, first.at, now, "standard", Sentence("standard support until {day}", day=f"{first.at:%Y-%m-%d}"))
    ]
    if billing:
        until = (
            Sentence("extended support until {day}", day=f"{forced.at:%Y-%m-%d}")
            if forced
            else Sentence("extended support from {day} on", day=f"{billing.at:%Y-%m-%d}")
        )
        spans.append(_span(billing.at, forced.at if forced else None, now, "extended", until))
    if forced:
        spans.append(
            _span(forced.at, None, now, "past", Sentence("upgraded by AWS from {day} on", day=f"{forced.at:%Y-%m-%d}"))
        )
    drawn = tuple(span for span in spans if span.width > 0)
    at = _position(forced.at, now) if forced else 0
    return Timeline(
        drawn,
        _position(now, now),
        at if 0 < at < 100 else None,
        Listed([span.title for span in drawn], between="; ") if drawn else "",
    )


def _span(begins: datetime | None, ends: datetime | None, now: datetime, kind: str, title: str) -> Stretch:
    left = 0.0 if begins is None else _position(begins, now)
    right = 100.0 if ends is None else _position(ends, now)
    return Stretch(left, round(max(right - left, 0), 2), kind, title)


def _position(at: datetime, now: datetime) -> float:
    share = (at - (now - _BACK)) / (_BACK + _AHEAD)
    return round(min(max(share, 0.0), 1.0) * 100, 2)
