"""The cost of a lab over its life: spans of one price an hour on its record, and sums over them.

Whole millionths of a dollar, so that sums are exact. `Lab.moved_to` begins a span if a phase costs differently from the one
before; a new list price applies to labs, extensions and changes that are requested afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass

#: Millionths in a dollar.
MICRO = 1_000_000


@dataclass(frozen=True)
class Span:
    """From `since` on it costs `hour` an hour. `slept`: the extra cost an hour if it did not hibernate.

    `extended`: the added price of extended support, if the meter learned later until when it was billed.
    """

    since: datetime
    hour: int
    slept: int = 0
    extended: int = 0


@dataclass(frozen=True)
class Meter:
    """Millionths of USD an hour: `asleep`, the cost of a node of each group, and `extended_extra` from `extended_from` on.

    `zone`: the installation's, in which its months begin. `unknown`: instance types without a known price, which are in no sum.
    """

    asleep: int
    nodes: Mapping[str, int] = field(default_factory=dict)
    zone: str = "UTC"
    extended_extra: int = 0
    extended_from: datetime | None = None
    unknown: tuple[str, ...] = ()
    source: str = ""
    spans: tuple[Span, ...] = ()

    def awake(self, counts: Mapping[str, int]) -> int:
        """The hourly cost with these numbers of nodes."""
        return self.asleep + sum(self.nodes.get(name, 0) * count for name, count in counts.items())

    def cost(self, start: datetime, end: datetime) -> int:
        """The cost of the spans between two instants; the last span continues."""
        return sum(self._cost_of(part) for part in _parts(self.spans, start, end))

    def slept(self, start: datetime, end: datetime) -> int:
        """The savings of hibernation between two instants."""
        return sum(_of_hour(span.slept, until - since) for since, until, span in _parts(self.spans, start, end))

    def extended(self, start: datetime, end: datetime) -> int:
        """The cost of extended support, which `cost` includes."""
        parts = _parts(self.spans, start, end)
        return sum(self._extended_of(*part) for part in parts)

    def split(self, start: datetime, end: datetime) -> tuple[int, int, int]:
        """The cost between two instants in three parts: the cost that stays while asleep, its nodes, and extended support."""
        parts = tuple(_parts(self.spans, start, end))
        asleep = sum(_of_hour(min(span.hour, self.asleep), until - since) for since, until, span in parts)
        whole, extended = self.cost(start, end), self.extended(start, end)
        return asleep, whole - asleep - extended, extended

    def hour_at(self, now: datetime) -> int:
        """The hourly cost at an instant."""
        span = next((span for span in reversed(self.spans) if span.since <= now), None)
        if span is None or not span.hour:
            return 0
        return span.hour + span.extended + (self.extended_extra if self._is_extended(now) else 0)

    def months(self, start: datetime, end: datetime) -> Mapping[str, int]:
        """The cost by month, such as 2026-11, in the installation's zone."""
        found = {
            month: self.cost(max(since, start), min(until, end)) for month, since, until in self._months(start, end)
        }
        return {month: cost for month, cost in found.items() if cost}

    def foreseen(self, begins_at: datetime, awake: int) -> Meter:
        """The meter for reservations: awake from its request on, and awake from now on even if it sleeps.

        The reservation for its sleep is released when it wakes or ends, so that waking never fails for lack of money.
        """
        spans = self.spans or (Span(begins_at, awake),)
        last = spans[-1]
        spans = (*spans[:-1], Span(last.since, last.hour + last.slept))
        return replace(self, spans=(replace(spans[0], since=min(begins_at, spans[0].since)), *spans[1:]))

    def with_span(self, since: datetime, hour: int, slept: int = 0) -> Meter:
        """With another price an hour from an instant on; unchanged if that is the price already."""
        before = self.spans[-1] if self.spans else Span(since, 0)
        if (before.hour, before.slept) == (hour, slept):
            return self
        return replace(self, spans=(*self.spans, Span(since, hour, slept)))

    def with_extended_from(self, billed_from: datetime | None, extra: int, now: datetime) -> Meter:
        """With another start of extended support: the control plane was upgraded, or AWS moved the date.

        The cost so far stays on the spans; the new start applies from now on.
        """
        if not self.spans:
            return replace(self, extended_from=billed_from, extended_extra=extra)
        last = self.spans[-1]
        kept = [each for part in _parts(self.spans, self.spans[0].since, now) for each in self._settled(*part)]
        begin = None if billed_from is None else max(billed_from, now)
        spans = (*kept, Span(max(now, last.since), last.hour, last.slept))
        return replace(self, spans=spans, extended_from=begin, extended_extra=extra)

    def _settled(self, since: datetime, until: datetime, span: Span) -> Iterator[Span]:
        """A span with its cost of extended support, split in two if extended support began within it."""
        begin = self.extended_from
        if begin is None or begin >= until or not span.hour:
            yield replace(span, since=since)
            return
        if since < begin:
            yield replace(span, since=since)
        yield replace(span, since=max(since, begin), extended=span.extended + self.extended_extra)

    def _cost_of(self, part: tuple[datetime, datetime, Span]) -> int:
        since, until, span = part
        return _of_hour(span.hour, until - since) + self._extended_of(since, until, span)

    def _extended_of(self, since: datetime, until: datetime, span: Span) -> int:
        """Zero for a span without cost: there is no control plane."""
        settled = _of_hour(span.extended, until - since)
        if self.extended_from is None or not span.hour:
            return settled
        return settled + _of_hour(self.extended_extra, max(until - max(since, self.extended_from), timedelta()))

    def _is_extended(self, now: datetime) -> bool:
        return self.extended_from is not None and now >= self.extended_from

    def _months(self, start: datetime, end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
        zone, here = ZoneInfo(self.zone), start
        while here < end:
            local = here.astimezone(zone)
            until = first_of_month(local.year + local.month // 12, local.month % 12 + 1, self.zone)
            yield f"{local:%Y-%m}", here, until
            here = until


def first_of_month(year: int, month: int, zone: str) -> datetime:
    """The instant at which a month begins in a zone."""
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _parts(spans: Iterable[Span], start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Span]]:
    known = tuple(spans)
    ends = (*(span.since for span in known[1:]), end)
    for span, until in zip(known, ends, strict=False):
        since, ended = max(span.since, start), min(until, end)
        if since < ended:
            yield since, ended, span


def _of_hour(hour: int, span: timedelta) -> int:
    """Rounded to whole millionths."""
    return (hour * (span // timedelta(microseconds=1)) + 1_800_000_000) // 3_600_000_000
