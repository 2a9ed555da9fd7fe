"""Invariants of every verdict, over random evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.idleness.evidence import (
    BalancerUse,
    Evidence,
    KubernetesUse,
    NodegroupUse,
    Series,
    Sighting,
    Source,
)
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Sign, Verdict
from tests.domain.idleness.world import NOW, RULES, a_seoul_lab
from tests.examples import examples
from tests.fakes.evidence_builders import a_series, an_hourly_series

LAB = a_seoul_lab()
SOURCES = [value for name, value in vars(Source).items() if name.isupper()]
KINDS = st.sampled_from(["application", "network", "classic"])
TYPES = st.sampled_from([("t3.medium",), ("g5.xlarge",), ("m6gd.large", "c7g.large")])
NAMES = st.sampled_from([(), ("ml/train",)])
#: Mostly little activity, so that idle verdicts are common enough for the test.
RARELY = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 3])


@st.composite
def some_series(draw: st.DrawFn, usual: list[float], peak: float) -> Series:
    """Flat in most cases, with a peak or a gap in some."""
    series = a_series(NOW, draw(st.sampled_from(usual)))
    points = list(series.points)
    if draw(RARELY):
        place = draw(st.integers(0, len(points) - 1))
        points[place] = (points[place][0], draw(st.floats(0, peak)))
    first = draw(st.integers(0, len(points)))
    return replace(series, points=tuple(points[:first] + points[first + draw(RARELY) * 2 :]))


@st.composite
def some_group(draw: st.DrawFn) -> NodegroupUse:
    return NodegroupUse(
        name="workers",
        status=draw(st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "DEGRADED", "UPDATING"])),
        nodes=draw(st.integers(0, 12)),
        instance_types=draw(TYPES),
        cpu=draw(some_series([0.0, 3.0, 5.5, 9.0], 100.0)),
        network_in=draw(some_series([0.0, 1e6, 5e6], 1e9)),
        network_out=draw(some_series([0.0, 1e6], 1e9)),
        cpu_before=draw(st.sampled_from([Series(3600), an_hourly_series(NOW, 3.0), an_hourly_series(NOW, 40.0)])),
    )


@st.composite
def some_kubernetes(draw: st.DrawFn) -> KubernetesUse:
    return KubernetesUse(
        running_jobs=("ml/train",) * draw(RARELY),
        cron_jobs=("shop/nightly",) * draw(RARELY),
        user_pods=draw(RARELY),
        pending_pods=draw(RARELY),
        crash_looping=draw(RARELY),
        scaled_to_zero=("shop/thumbs",) * draw(RARELY),
    )


@st.composite
def some_evidence(draw: st.DrawFn) -> Evidence:
    balancer = st.builds(BalancerUse, st.just("arn"), KINDS, some_series([0.0, 0.0, 1.0], 50.0))
    return Evidence(
        lab_id=LAB.id,
        read_at=NOW,
        window_from=NOW - timedelta(hours=draw(st.sampled_from([3, 3, 3, 4, 2]))),
        cluster_status=draw(st.sampled_from(["ACTIVE"] * 6 + ["UPDATING", None])),
        requests=draw(some_series([2000.0, 2100.0, 300.0], 20000.0)),
        requests_before=draw(
            st.sampled_from([an_hourly_series(NOW, 24000.0), an_hourly_series(NOW, 24000.0), Series(3600)])
        ),
        scheduled=draw(some_series([0.0], 3.0)),
        scheduled_before=an_hourly_series(NOW),
        pending=draw(some_series([0.0], 3.0)),
        nodegroups=tuple(draw(st.lists(some_group(), max_size=2))),
        instances_outside=draw(RARELY),
        fargate_profiles=draw(RARELY),
        balancers=tuple(draw(st.lists(balancer, max_size=2))),
        kubernetes=draw(st.none() | some_kubernetes()),
        audit_on=draw(st.booleans()),
        owner_call=draw(st.sampled_from([None, None, Sighting("learner", NOW - timedelta(hours=1))])),
        unread=tuple(draw(st.sampled_from([(), (), (), (SOURCES[0],)]))),
    )


@st.composite
def raised(draw: st.DrawFn, series: Series) -> Series:
    """More at every point or at some, and never less."""
    more = draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 30.0, 5000.0, 1e8]), min_size=1, max_size=5))
    return replace(
        series, points=tuple((at, value + more[place % len(more)]) for place, (at, value) in enumerate(series.points))
    )


@st.composite
def busier(draw: st.DrawFn, evidence: Evidence) -> Evidence:
    """The same cluster with more activity within the window."""
    groups = tuple(
        replace(
            group,
            cpu=draw(raised(group.cpu)),
            network_in=draw(raised(group.network_in)),
            network_out=draw(raised(group.network_out)),
        )
        for group in evidence.nodegroups
    )
    return replace(
        evidence,
        requests=draw(raised(evidence.requests)),
        scheduled=draw(raised(evidence.scheduled)),
        pending=draw(raised(evidence.pending)),
        nodegroups=groups,
        balancers=tuple(replace(each, traffic=draw(raised(each.traffic))) for each in evidence.balancers),
        instances_outside=evidence.instances_outside + draw(RARELY),
        fargate_profiles=evidence.fargate_profiles + draw(RARELY),
        kubernetes=None if evidence.kubernetes is None else draw(more_work(evidence.kubernetes)),
        owner_call=evidence.owner_call or draw(st.sampled_from([None, Sighting("learner", NOW)])),
        audit_human=evidence.audit_human or draw(st.sampled_from([None, Sighting("learner", NOW)])),
    )


@st.composite
def more_work(draw: st.DrawFn, use: KubernetesUse) -> KubernetesUse:
    return replace(
        use,
        running_jobs=use.running_jobs + draw(NAMES),
        cron_jobs=use.cron_jobs + draw(NAMES),
        scaled_to_zero=use.scaled_to_zero + draw(NAMES),
        user_pods=use.user_pods + draw(RARELY),
        pending_pods=use.pending_pods + draw(RARELY),
    )


def verdict(evidence: Evidence) -> Verdict:
    return judge(LAB, evidence, RULES, NOW)


@settings(max_examples=examples(100), deadline=None)
@given(st.data())
def test_more_activity_never_turns_a_busy_cluster_into_an_idle_one(data: st.DataObject) -> None:
    evidence = data.draw(some_evidence())
    if not verdict(evidence).idle:
        assert not verdict(data.draw(busier(evidence))).idle


@settings(max_examples=examples(100), deadline=None)
@given(some_evidence(), st.sampled_from([*SOURCES, "something new"]))
def test_one_more_source_unread_never_makes_a_cluster_idle(evidence: Evidence, source: str) -> None:
    assert not verdict(replace(evidence, unread=(*evidence.unread, f"{source}: no"))).idle


@settings(max_examples=examples(100), deadline=None)
@given(st.data())
def test_a_hole_of_half_an_hour_never_goes_unnoticed(data: st.DataObject) -> None:
    evidence = data.draw(some_evidence())
    name = data.draw(st.sampled_from(["requests", "scheduled"]))
    first = data.draw(st.integers(0, 30))
    points = getattr(evidence, name).points
    holed = replace(evidence, **{name: Series(300, points[:first] + points[first + 6 :])})
    assert not verdict(holed).idle or len(points) <= first + 1


@settings(max_examples=examples(100), deadline=None)
@given(some_evidence())
def test_every_verdict_is_one_line_the_same_each_time_and_idle_only_by_agreement(evidence: Evidence) -> None:
    first = verdict(evidence)
    assert first == verdict(evidence)
    assert first.sentence.strip() == first.sentence != ""
    assert first.sentence.splitlines() == [first.sentence]
    signs = [signal.sign for signal in first.signals]
    agreed = signs.count(Sign.QUIET) >= 3 and Sign.MISSING not in signs and Sign.BUSY not in signs
    assert first.idle is agreed
    assert (first.since is not None) is first.idle
    assert first.since is None or first.since <= first.window_from
    assert not (first.gone and first.idle)


def test_random_evidence_is_idle_often_enough_to_prove_anything() -> None:
    found: list[bool] = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(some_evidence())
    def look(evidence: Evidence) -> None:
        found.append(verdict(evidence).idle)

    look()
    assert 10 <= sum(found) <= len(found) - 10
