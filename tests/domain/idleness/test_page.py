"""docs/explanation/idleness.md and the rules name the same signals and the same limits."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.idleness.signals import nodes, traffic
from chalicelib.domain.idleness.signals.nightly_jobs import NIGHT
from chalicelib.domain.idleness.summary import QUIET_AT_LEAST
from tests.domain.idleness.world import RULES, verdict_on
from tests.paths import PROJECT

PAGE = (PROJECT / "docs/explanation/idleness.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*)", PAGE, re.MULTILINE))
LIFE = {"phase", "age", "cluster", "nodegroups", "look"}


def test_the_page_has_a_row_for_each_signal_that_is_measured() -> None:
    assert set(ROWS) == {signal.name for signal in verdict_on().signals} - LIFE


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("requests", f"more than {traffic.BREATH_SHARE:.0%}".replace("%", " %")),
        ("requests", f"by {traffic.BREATH:.0f} and {traffic.BREATH_PER_NODE:.0f} for each node"),
        ("requests", f"below {traffic.FLOOR:.0f} and {traffic.FLOOR_PER_NODE:.0f} for each node"),
        ("cpu", f"exceed {nodes.CORES} and {nodes.CORES_PER_NODE} for each node"),
        ("cpu", f"its baseline by {nodes.CORES_BREATH} and {nodes.CORES_BREATH_PER_NODE} for each node"),
        ("network", f"{nodes.NETWORK_LIMIT / 60 / 1024:.0f} KiB/s a node"),
        ("balancers", f"more than {traffic.REQUESTS_AT_ONCE:.0f} requests in five minutes"),
        ("balancers", f"or {traffic.REQUESTS_AN_HOUR:.0f} an hour"),
        ("balancers", f"more than {traffic.FLOWS:.0f} flows"),
    ],
)
def test_the_page_tells_the_limits_that_are_in_force(row: str, message: str) -> None:
    assert message in ROWS[row]


def test_the_page_tells_the_rule_that_is_in_force() -> None:
    assert f"at least {QUIET_AT_LEAST} are quiet" in PAGE
    assert f"`window_hours`, {RULES.window_hours} by default" in PAGE
    assert f"`young_hours` ({RULES.young_hours})" in PAGE
    assert NIGHT.total_seconds() == 8 * 3600
    assert "the eight hours from curfew" in PAGE
