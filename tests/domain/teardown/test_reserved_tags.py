"""No request can change the service's own tags: requests may not write the keys that the rules read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.resources import BY_STACK, EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.requests.validation.limits import RESERVED, reserved_by
from chalicelib.domain.teardown.evidence import OTHERS_KEYS, OWNING_KEYS, TOOLS_KEYS
from chalicelib.domain.teardown.ownership import judge
from chalicelib.domain.teardown.volumes import decide_volume
from tests.domain.teardown.test_ownership import BORN, CLAIMED, LATER, PROVED, TARGET, a, seen

HOST = a(Kind.INSTANCE, {"ekslab:lab-id": "lab-1"}, id="i-host", born=LATER, vpc_id="vpc-1")
THINGS = [thing for _, thing in PROVED] + CLAIMED + [HOST]
_KEYS = st.one_of(
    st.sampled_from(["Name", "team", "KubernetesCluster", "kubernetescluster", "karpenter.sh/nodepool", "cost:center"]),
    st.sampled_from([*OWNING_KEYS, *OTHERS_KEYS, *TOOLS_KEYS, *RESERVED]),
    st.text(min_size=1, max_size=12),
    st.sampled_from([*RESERVED]).flatmap(lambda key: st.text(max_size=3).map(lambda more: key[:-1] + more)),
)


def _ledger(thing: Resource) -> dict[str, LedgerEntry]:
    return {thing.arn: LedgerEntry(thing, EntryState.PRESENT, BY_STACK, BORN, BORN)}


@given(st.sampled_from(THINGS), _KEYS, st.sampled_from(["prod", "owned", "shared", "true", "myeks", "lab-2", ""]))
def test_no_tag_that_is_accepted_changes_the_verdict_on_anything(thing: Resource, key: str, value: str) -> None:
    if reserved_by(key) is not None:
        return
    tagged = replace(thing, tags={**thing.tags, key: value})
    for ledger in ({}, seen(thing, None), _ledger(thing)):
        assert judge(tagged, TARGET, ledger) == judge(thing, TARGET, ledger)
    volume = replace(tagged, kind=Kind.VOLUME)
    bare = replace(thing, kind=Kind.VOLUME)
    assert decide_volume(volume, VolumePolicy.KEEP) is decide_volume(bare, VolumePolicy.KEEP)


@pytest.mark.parametrize(
    "key", ["KubernetesCluster", "kubernetescluster", "alpha.eksctl.io/cluster-name", "dlm:managed"]
)
def test_what_made_a_labs_own_work_host_somebody_elses_is_reserved(key: str) -> None:
    assert reserved_by(key) is not None


@pytest.mark.parametrize("key", ["Name", "team", "cost-center", "kubernetes.io/name"])
def test_people_may_write_what_no_rule_reads(key: str) -> None:
    assert reserved_by(key) is None
