"""Whose is it: tables of things that are the lab's, and of look-alikes that are not, whatever they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, LAB_TAG, OWNING_KEYS, STACK_TAG
from chalicelib.domain.teardown.ownership import Action, judge

BORN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = BORN + timedelta(minutes=30)
TARGET = Target(
    lab_id="lab-1",
    cluster_name="myeks",
    account="111122223333",
    region="ap-northeast-2",
    created_at=BORN,
    stack_name="ekslab-lab-1",
    txt_owner_id="ekslab-lab-1",
    vpc_id="vpc-1",
    vpc_is_ours=True,
    oidc_issuer="https://oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA",
    cluster_security_group_id="sg-eks",
    role_names=("node-role",),
    had_cluster=True,
)
GUEST = replace(TARGET, vpc_is_ours=False)
OWNED = {CLUSTER_PREFIX + "myeks": "owned"}


def a(
    kind: Kind, tags: Mapping[str, str] | None = None, id: str = "x-1", born: datetime | None = None, **facts: str
) -> Resource:
    attributes = {key.replace("_", "-"): value for key, value in facts.items()}
    return Resource(kind, id, f"arn:{kind}:{id}", tags or {}, attributes, born)


def on_ledger(resource: Resource, how: str = "asked for by provision", guest: bool = False) -> dict[str, LedgerEntry]:
    return {resource.arn: LedgerEntry(resource, EntryState.PRESENT, how, BORN, BORN, guest=guest)}


@pytest.mark.parametrize("key", OWNING_KEYS)
def test_what_a_controller_tagged_for_the_cluster_is_the_labs(key: str) -> None:
    assert judge(a(Kind.VOLUME, {key: "myeks"}, born=LATER), TARGET, {}).action is Action.DELETE


@pytest.mark.parametrize(
    "thing",
    [
        a(Kind.VOLUME, OWNED, born=LATER),
        a(Kind.SECURITY_GROUP, OWNED, vpc_id="vpc-1"),
        a(Kind.SECURITY_GROUP, {}, id="sg-eks", vpc_id="vpc-1"),
        a(Kind.SECURITY_GROUP, {}, group_name="GuardDutyManagedSecurityGroup-vpc-1", vpc_id="vpc-1"),
        a(Kind.VPC_ENDPOINT, {}, service_name="com.amazonaws.ap-northeast-2.guardduty-data", vpc_id="vpc-1"),
        a(Kind.NETWORK_INTERFACE, {"node.k8s.amazonaws.com/createdAt": "now"}, status="available", vpc_id="vpc-1"),
        a(Kind.NETWORK_INTERFACE, {"cluster.k8s.amazonaws.com/name": "myeks"}, status="available", vpc_id="vpc-1"),
        a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=LATER),
        a(Kind.OIDC_PROVIDER, {}, issuer="oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA", born=LATER),
        a(Kind.INSTANCE_PROFILE, {}, role_name="node-role", born=LATER),
        a(Kind.INSTANCE_PROFILE, {**OWNED, "topology.kubernetes.io/region": "ap-northeast-2"}, born=LATER),
        a(Kind.DNS_RECORD, {}, txt_owner="ekslab-lab-1"),
        a(Kind.INSTANCE, {LAB_TAG: "lab-1"}, born=LATER, vpc_id="vpc-elsewhere"),
    ],
    ids=lambda thing: str(thing.kind),
)
def test_one_proof_is_enough_and_is_told(thing: Resource) -> None:
    decision = judge(thing, TARGET, {})
    assert decision.action is Action.DELETE
    assert decision.how


@pytest.mark.parametrize(
    "thing",
    [
        a(Kind.VOLUME, {CLUSTER_PREFIX + "myeks2": "owned"}, born=LATER),
        a(Kind.VOLUME, {CLUSTER_PREFIX + "MYEKS": "owned"}, born=LATER),
        a(Kind.VOLUME, {"ebs.csi.aws.com/cluster": "true"}, born=LATER),
        a(Kind.VOLUME, {"KubernetesCluster": "myeks"}, born=LATER),
        a(Kind.VOLUME, {"Name": "myeks-dynamic-pvc"}, born=LATER),
        a(Kind.VOLUME, {**OWNED, "eks:cluster-name": "other"}, born=LATER),
        a(Kind.VOLUME, {**OWNED, "alpha.eksctl.io/cluster-name": "other"}, born=LATER),
        a(Kind.VOLUME, {**OWNED, LAB_TAG: "lab-2"}, born=LATER),
        a(Kind.SECURITY_GROUP, OWNED, vpc_id="vpc-elsewhere"),
        a(Kind.SECURITY_GROUP, {}, group_name="k8s-elb-a0b1", vpc_id="vpc-elsewhere"),
        a(Kind.SECURITY_GROUP, {}, group_name="k8s-traffic-myeks-0123456789", vpc_id="vpc-elsewhere"),
        a(Kind.SECURITY_GROUP, {}, group_name="GuardDutyManagedSecurityGroup-vpc-2", vpc_id="vpc-2"),
        a(Kind.NETWORK_INTERFACE, {"node.k8s.amazonaws.com/createdAt": "now"}, status="available", vpc_id="vpc-2"),
        a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks2/cluster", born=LATER),
        a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster-of-mine", born=LATER),
        a(Kind.OIDC_PROVIDER, {}, issuer="oidc.eks.ap-northeast-2.amazonaws.com/id/AAAAB", born=LATER),
        a(Kind.INSTANCE_PROFILE, {}, role_name="node-role-2", born=LATER),
        a(Kind.INSTANCE_PROFILE, {**OWNED, "topology.kubernetes.io/region": "eu-west-1"}, born=LATER),
        a(Kind.INSTANCE_PROFILE, OWNED, born=LATER),
        a(Kind.DNS_RECORD, {}, txt_owner="default"),
        a(Kind.DNS_RECORD, {}, txt_owner="ekslab-lab-10"),
        a(Kind.DNS_RECORD, {}),
        a(Kind.CLUSTER, {}, id="myeks", born=LATER),
    ],
    ids=lambda thing: f"{thing.kind}-{'-'.join(thing.tags) or thing.id}",
)
def test_look_alikes_are_left_alone(thing: Resource) -> None:
    assert judge(thing, TARGET, {}).action is Action.IGNORE


@pytest.mark.parametrize("tags", [{**OWNED, CLUSTER_PREFIX + "other": "shared"}, {CLUSTER_PREFIX + "myeks": "shared"}])
def test_what_is_shared_is_never_deleted_even_from_the_ledger(tags: dict[str, str]) -> None:
    thing = a(Kind.VOLUME, tags, born=LATER)
    assert judge(thing, TARGET, {}).action is Action.KEEP
    assert judge(thing, TARGET, on_ledger(thing)).action is Action.KEEP


@pytest.mark.parametrize("kind", list(Kind))
def test_a_guests_things_are_kept_whatever_their_tags(kind: Kind) -> None:
    thing = a(kind, {**OWNED, LAB_TAG: "lab-1"}, vpc_id="vpc-1")
    assert judge(thing, TARGET, on_ledger(thing, guest=True)).action is Action.KEEP


def test_what_was_there_before_the_lab_is_kept_and_told() -> None:
    before = BORN - timedelta(days=7)
    volume, group = a(Kind.VOLUME, OWNED, born=before), a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=before)
    assert judge(volume, TARGET, {}).action is Action.KEEP
    assert judge(group, TARGET, {}).action is Action.KEEP
    assert judge(group, TARGET, on_ledger(group)).action is Action.KEEP
    assert "before the lab" in judge(group, TARGET, {}).reason


def test_birth_in_the_same_second_is_not_before_the_lab() -> None:
    target = replace(TARGET, created_at=BORN + timedelta(milliseconds=900))
    assert judge(a(Kind.VOLUME, OWNED, born=BORN), target, {}).action is Action.DELETE


def test_when_another_cluster_has_the_name_the_name_proves_nothing() -> None:
    taken = replace(GUEST, name_taken_over=True, cluster_gone_at=LATER)
    for thing in (
        a(Kind.VOLUME, OWNED, born=LATER),
        a(Kind.SECURITY_GROUP, OWNED, vpc_id="vpc-1"),
        a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=LATER),
    ):
        assert not judge(thing, taken, {}).ours
    group = a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=LATER)
    assert not judge(group, taken, on_ledger(group)).ours


def test_before_the_lab_had_a_cluster_the_name_is_someone_elses() -> None:
    assert not judge(a(Kind.VOLUME, OWNED, born=LATER), replace(TARGET, had_cluster=False), {}).ours


def test_what_was_made_after_the_cluster_was_gone_is_not_its_own_but_late_log_lines_are() -> None:
    gone = replace(TARGET, cluster_gone_at=LATER)
    assert not judge(a(Kind.VOLUME, OWNED, born=LATER + timedelta(minutes=1)), gone, {}).ours
    name = "/aws/eks/myeks/cluster"
    assert judge(a(Kind.LOG_GROUP, {}, id=name, born=LATER + timedelta(minutes=9)), gone, {}).ours
    assert not judge(a(Kind.LOG_GROUP, {}, id=name, born=LATER + timedelta(hours=9)), gone, {}).ours


def test_a_cluster_on_the_ledger_is_ours_only_while_it_carries_the_labs_tag() -> None:
    cluster = a(Kind.CLUSTER, {}, id="myeks", born=LATER)
    assert judge(cluster, TARGET, on_ledger(cluster)).action is Action.IGNORE
    assert judge(replace(cluster, tags={LAB_TAG: "lab-1"}), TARGET, {}).action is Action.DELETE


def test_what_the_stack_made_goes_with_the_stack() -> None:
    tagged = a(Kind.SECURITY_GROUP, {LAB_TAG: "lab-1", STACK_TAG: "ekslab-lab-1"}, vpc_id="vpc-1")
    listed = a(Kind.SECURITY_GROUP, {}, vpc_id="vpc-1", logical_id="NodeGroup")
    assert judge(tagged, TARGET, {}).action is Action.LEAVE
    assert judge(a(Kind.SECURITY_GROUP, {}, vpc_id="vpc-1"), TARGET, on_ledger(listed)).action is Action.LEAVE


def test_a_strangers_thing_in_the_labs_own_vpc_is_in_the_way_but_never_deleted() -> None:
    stranger = a(Kind.NETWORK_INTERFACE, {"Name": "my-experiment"}, status="available", vpc_id="vpc-1")
    assert judge(stranger, TARGET, {}).action is Action.BLOCK
    assert judge(stranger, GUEST, {}).action is Action.IGNORE
    assert judge(a(Kind.SECURITY_GROUP, {}, group_name="default", vpc_id="vpc-1"), TARGET, {}).action is Action.IGNORE


_NAMES = st.sampled_from(["myeks", "myeks2", "my", "eks", "MyEks", "myeks/", "other"])
_TAGS = st.dictionaries(
    st.one_of(
        st.sampled_from([*OWNING_KEYS, "Name", "KubernetesCluster", "ebs.csi.aws.com/cluster"]),
        _NAMES.map(lambda name: CLUSTER_PREFIX + name),
    ),
    st.one_of(_NAMES, st.sampled_from(["owned", "shared", "true", ""])),
    max_size=4,
)


@given(kind=st.sampled_from(list(Kind)), tags=_TAGS, vpc=st.sampled_from(["vpc-1", "vpc-2"]), guest=st.booleans())
def test_nothing_untied_shared_or_claimed_elsewhere_is_ever_deleted(
    kind: Kind, tags: dict[str, str], vpc: str, guest: bool
) -> None:
    decision = judge(a(kind, tags, born=LATER, vpc_id=vpc), GUEST if guest else TARGET, {})
    if decision.action is Action.DELETE:
        assert tags.get(CLUSTER_PREFIX + "myeks") == "owned" or "myeks" in {tags.get(key) for key in OWNING_KEYS}
        assert not any(key.startswith(CLUSTER_PREFIX) and value == "shared" for key, value in tags.items())
        assert not any(
            key.startswith(CLUSTER_PREFIX) and value == "owned"
            for key, value in tags.items()
            if not key.endswith("/myeks")
        )
        assert vpc == "vpc-1"


def test_the_control_planes_own_interfaces_are_in_the_way_until_it_goes() -> None:
    facts = {"vpc_id": "vpc-1", "status": "in-use", "description": "Amazon EKS myeks"}
    decision = judge(a(Kind.NETWORK_INTERFACE, **facts), TARGET, {})
    assert (decision.action, decision.ours) == (Action.BLOCK, False)
    assert "goes with it" in decision.reason
    for other in ({"status": "available"}, {"description": "Amazon EKS myeks2"}):
        assert "goes with it" not in judge(a(Kind.NETWORK_INTERFACE, **facts | other), TARGET, {}).reason
    assert judge(a(Kind.NETWORK_INTERFACE, **facts), GUEST, {}).action is Action.IGNORE


@pytest.mark.parametrize("kind", [Kind.ADDON, Kind.ACCESS_ENTRY, Kind.POD_IDENTITY])
def test_what_eks_deletes_with_the_cluster_is_left_to_it(kind: Kind) -> None:
    thing = a(kind)
    decision = judge(thing, TARGET, on_ledger(thing))
    assert decision.action is Action.LEAVE
    assert "control plane" in decision.reason
