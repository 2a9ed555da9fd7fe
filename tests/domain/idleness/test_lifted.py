"""More activity never makes a busy cluster idle, for each signal alone: with the gaps between peaks filled, it stays busy.

A rule that compares the window with itself takes steady work for noise, and fails here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.domain.idleness.evidence import Series
from tests.domain.idleness.world import NOW, nodes, verdict_on
from tests.examples import examples
from tests.fakes.evidence_builders import MEGABYTE, a_balancer_use, a_series, with_values

#: signal -> its usual value in five minutes, and a peak well beyond any limit.
USUAL = {
    "requests": (2000.0, 8000.0),
    "scheduled": (0.0, 4.0),
    "pending": (0.0, 4.0),
    "cpu": (3.0, 80.0),
    "network_in": (2 * MEGABYTE, 500 * MEGABYTE),
    "application": (0.0, 100.0),
    "network": (0.0, 40.0),
}


def evidence_with(name: str, series: Series) -> dict[str, Any]:
    """The change in the evidence if one signal has these values."""
    if name in ("cpu", "network_in"):
        return nodes(**{name: series})
    if name in ("application", "network"):
        return {"balancers": (a_balancer_use(NOW, kind=name, traffic=series),)}
    return {name: series}


@pytest.mark.parametrize("name", sorted(USUAL))
@settings(max_examples=examples(40), deadline=None)
@given(st.data())
def test_filling_the_hollows_between_peaks_leaves_a_busy_cluster_busy(name: str, data: st.DataObject) -> None:
    usual, peak = USUAL[name]
    heights = st.floats(usual, peak)
    peaks = data.draw(st.dictionaries(st.integers(0, 35), heights, min_size=1, max_size=4))
    peaky = with_values(a_series(NOW, usual), peaks)
    assume(not verdict_on(**evidence_with(name, peaky)).idle)
    level = data.draw(st.just(max(peaks.values())) | heights)
    filled = replace(peaky, points=tuple((at, max(value, level)) for at, value in peaky.points))
    assert not verdict_on(**evidence_with(name, filled)).idle
