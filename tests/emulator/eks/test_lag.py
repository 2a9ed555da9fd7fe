"""The eventual mode: a new resource is unknown, denied or untagged for a seeded time, and then in its final state."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.clock import EmulatorClock
from emulator.eks.http.call import Call, Caller
from emulator.eks.http.errors import EksError
from emulator.eks.state.lag import Lag

SERVICE = Caller("111122223333", "us-east-1", "arn:aws:iam::111122223333:role/service")
ROOT = Caller("111122223333", "us-east-1", "arn:aws:iam::111122223333:root")
ROLE = "arn:aws:iam::111122223333:role/nodes"
SEEDS = range(40)


def lagging(seed: int | None) -> Lag:
    lag = Lag(EmulatorClock(1))
    lag.set(seed, 1000)
    return lag


def call(operation: str, caller: Caller = SERVICE, **given: Any) -> Call:
    return Call(operation, {"clusterName": "myeks", **given}, caller)


def look(lag: Lag, caller: Caller = SERVICE) -> str:
    """The first read of a new node group."""
    lag.seen(call("CreateNodegroup", nodegroupName="workers"), {"nodegroup": {"tags": {"a": "b"}}})
    asked = call("DescribeNodegroup", caller, nodegroupName="workers")
    try:
        lag.refuse(call("DeleteNodegroup", caller, nodegroupName="workers"))
        lag.refuse(asked)
    except EksError as error:
        return error.code
    seen = lag.seen(asked, {"nodegroup": {"status": "CREATING", "tags": {"a": "b"}}})
    return "tagged" if seen["nodegroup"]["tags"] else "untagged"


def test_seeds_decide_how_what_was_just_made_is_seen_and_always_in_the_same_way() -> None:
    seen = [look(lagging(seed)) for seed in SEEDS]
    assert {"ResourceNotFoundException", "AccessDeniedException", "untagged"} <= set(seen)
    assert seen == [look(lagging(seed)) for seed in SEEDS]


def test_nothing_lags_without_a_seed_and_root_sees_everything() -> None:
    assert look(lagging(None)) == "tagged"
    assert {look(lagging(seed), ROOT) for seed in SEEDS} == {"tagged"}


def test_it_is_seen_as_it_is_after_a_while() -> None:
    lag = Lag(EmulatorClock(1))
    lag.set(3, 0)
    assert look(lag) == "tagged"


def test_asked_for_twice_it_is_as_old_as_it_is_and_made_again_it_is_young_again() -> None:
    lag = Lag(EmulatorClock(1))
    lag.set(3, 0)
    first = look(lag)
    lag.set(3, 1000)
    lag.seen(call("CreateNodegroup", nodegroupName="other"), {})
    before = dict(lag._until)
    lag.seen(call("CreateNodegroup", nodegroupName="other"), {})
    assert lag._until == before
    lag.seen(call("DeleteNodegroup", nodegroupName="other"), {})
    assert lag._until == {}
    assert first == "tagged"


def test_an_update_is_unknown_at_most_for_it_bears_no_tags() -> None:
    for seed in SEEDS:
        lag = lagging(seed)
        lag.seen(call("UpdateNodegroupConfig", nodegroupName="workers"), {"update": {"id": "u-1"}})
        with pytest.raises(EksError) as told:
            lag.refuse(call("DescribeUpdate", name="myeks", updateId="u-1"))
        assert told.value.code == "ResourceNotFoundException"


def test_a_role_that_eks_was_not_handed_before_can_not_be_assumed_at_first() -> None:
    lag = lagging(2)
    with pytest.raises(EksError, match="could not be assumed"):
        lag.refuse(call("CreateNodegroup", nodegroupName="workers", nodeRole=ROLE))
    lag.set(None)
    lag.refuse(call("CreateNodegroup", nodegroupName="workers", nodeRole=ROLE))


def test_the_mode_is_for_all_of_eks(bench: Any) -> None:
    bench.eks.world.lag.set(5)
    assert bench.active_cluster()["status"] == "ACTIVE", "root's calls lag in nothing"
    bench.eks.world.lag.set(None)
