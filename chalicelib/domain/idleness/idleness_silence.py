"""A counter that is told only when it counted something: its silence is a zero, if what comes with it was told all the while.

Kubernetes' scheduler has no number of pods placed until it has placed one, and AWS does not say that it reports zeros. Which
of the two it is for a cluster, its own past tells: where a zero was ever reported, silence is missing data and stays so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.idleness.evidence import Evidence, Series


def with_zeros(evidence: Evidence) -> Evidence:
    """The evidence with zeros for pods placed, in periods for which the scheduler and the API server told their other numbers.

    Only if pods were placed in the week before, and no zero was ever reported.
    """
    told = (*evidence.scheduled_before.values, *evidence.scheduled.values)
    if not evidence.scheduled_before.points or min(told) <= 0:
        return evidence
    waiting, asked = _instants(evidence.pending), _instants(evidence.requests)
    return replace(
        evidence,
        scheduled=_filled(evidence.scheduled, waiting & asked),
        scheduled_before=_filled(evidence.scheduled_before, _instants(evidence.requests_before)),
    )


def _instants(series: Series) -> frozenset[datetime]:
    return frozenset(at for at, _ in series.points)


def _filled(series: Series, instants: Iterable[datetime]) -> Series:
    points = {**dict.fromkeys(instants, 0.0), **dict(series.points)}
    return Series(series.period, tuple(sorted(points.items())))
