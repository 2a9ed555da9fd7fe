"""Ownership: the proofs that a resource is the lab's, and the look-alikes; each rule has its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.core.proof import Creator, Proof
from chalicelib.domain.core.resources import (
    ASKED_FOR,
    BY_EKS,
    BY_STACK,
    EntryState,
    Kind,
    LedgerEntry,
    Resource,
    Target,
)
from chalicelib.domain.teardown.evidence import (
    CLUSTER_PREFIX,
    CSI_TAG,
    LAB_TAG,
    OTHERS_KEYS,
    OWNING_KEYS,
    STACK_ID_TAG,
    STACK_TAG,
    TOOLS_KEYS,
)
from chalicelib.domain.teardown.ownership import Action, OwnershipDecision, judge

BORN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = BORN + timedelta(minutes=30)
ISSUER = "oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA"
STACK_ID = "arn:aws:cloudformation:ap-northeast-2:111122223333:stack/ekslab-lab-1/0001"
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
    hosted_zone_id="Z1",
    oidc_issuer=f"https://{ISSUER}",
    cluster_security_group_id="sg-eks",
    role_names=("node-role",),
    had_cluster=True,
    stack_id=STACK_ID,
    own_cluster_arn="arn:cluster:myeks",
    cluster_created_at=LATER,
    role_ids=frozenset({"AROALAB"}),
    true_role_names=frozenset({"node-role"}),
    profile_ids=frozenset({"AIPALAB"}),
    group_arns=frozenset({"arn:auto-scaling-group:eks-nodes"}),
    member_ids=frozenset({"i-member"}),
    before=frozenset(),
    subdomain="lab.example.com",
)
GUEST = replace(TARGET, vpc_is_ours=False)
OWNED = {CLUSTER_PREFIX + "myeks": "owned"}
BY_LAB = Creator("arn:aws:sts::111122223333:assumed-role/csi/x", LATER, role_id="AROALAB")
BY_POD = Creator("arn:aws:sts::111122223333:assumed-role/learners/x", LATER, role_id="AROAOTHER", issuer=ISSUER)
BY_OTHER = Creator("arn:aws:iam::111122223333:user/somebody", LATER)


def a(
    kind: Kind, tags: Mapping[str, str] | None = None, id: str = "x-1", born: datetime | None = None, **facts: str
) -> Resource:
    attributes = {key.replace("_", "-"): value for key, value in facts.items()}
    return Resource(kind, id, f"arn:{kind}:{id}", tags or {}, attributes, born)


def on_ledger(resource: Resource, how: str = ASKED_FOR, **changes: object) -> dict[str, LedgerEntry]:
    entry = LedgerEntry(resource, EntryState.PRESENT, how, BORN, BORN)
    return {resource.arn: replace(entry, **changes)}  # type: ignore[arg-type]  # fields by name


def seen(resource: Resource, creator: Creator | None) -> dict[str, LedgerEntry]:
    """As a claim that was checked."""
    return on_ledger(resource, "tag x", state=EntryState.UNPROVEN, creator=creator)


def judged(resource: Resource, target: Target = GUEST, creator: Creator | None = None) -> OwnershipDecision:
    return judge(resource, target, seen(resource, creator) if creator else {})


PROVED = [
    (Proof.AWS, a(Kind.SECURITY_GROUP, {}, id="sg-eks", vpc_id="vpc-1")),
    (Proof.AWS, a(Kind.INSTANCE, {}, id="i-member", born=LATER, vpc_id="vpc-1")),
    (Proof.AWS, a(Kind.INSTANCE, OWNED, born=LATER, profile_id="AIPALAB", vpc_id="vpc-1")),
    (Proof.AWS, a(Kind.AUTO_SCALING_GROUP, {}, id="eks-nodes", born=LATER)),
    (Proof.AWS, a(Kind.INSTANCE_PROFILE, {}, born=LATER, role_name="node-role", role_id="AROALAB")),
    (Proof.AWS, a(Kind.NETWORK_INTERFACE, {}, requester_id="AROALAB:i-0123", vpc_id="vpc-1")),
    (
        Proof.AWS,
        a(
            Kind.LAUNCH_TEMPLATE,
            {},
            born=LATER,
            created_by="arn:aws:sts::111122223333:assumed-role/node-role/karpenter",
        ),
    ),
    (Proof.AWS, a(Kind.OIDC_PROVIDER, {}, issuer=ISSUER, born=LATER)),
    (Proof.AWS, a(Kind.CLUSTER, {}, id="myeks", born=LATER)),
    (Proof.SUBDOMAIN, a(Kind.DNS_RECORD, {}, id="Z1|app.lab.example.com.|A")),
    (Proof.SUBDOMAIN, a(Kind.DNS_RECORD, {}, id="Z1|prefix-a-app.LAB.example.com.|TXT", txt_owner="whoever")),
    (Proof.STACK, a(Kind.LAUNCH_TEMPLATE, {STACK_ID_TAG: STACK_ID}, born=LATER)),
]


@pytest.mark.parametrize(("proof", "thing"), PROVED, ids=lambda value: str(getattr(value, "kind", value)))
def test_what_aws_answers_with_a_unique_id_of_ours_proves_wherever_it_stands(proof: Proof, thing: Resource) -> None:
    decision = judged(thing)
    assert decision.ours
    assert (decision.proof, bool(decision.how)) == (proof, True)


@pytest.mark.parametrize("target", [TARGET, GUEST])
def test_a_thing_that_cloudtrail_says_a_role_or_a_pod_of_the_lab_made_is_the_labs(target: Target) -> None:
    for creator in (BY_LAB, BY_POD):
        decision = judged(a(Kind.VOLUME, OWNED, born=LATER), target, creator)
        assert (decision.action, decision.proof) == (Action.DELETE, Proof.CREATOR)


CLAIMED = [
    *(a(Kind.VOLUME, {key: "myeks"}, born=LATER) for key in OWNING_KEYS),
    a(Kind.VOLUME, OWNED, born=LATER),
    a(Kind.VOLUME, {CLUSTER_PREFIX + "myeks": "true"}, born=LATER),
    a(Kind.VOLUME, {CSI_TAG: "true"}, born=LATER),
    *(a(kind, {LAB_TAG: "lab-1"}, born=LATER, vpc_id="vpc-elsewhere") for kind in Kind if kind is not Kind.CLUSTER),
    a(Kind.INSTANCE, OWNED, born=LATER, vpc_id="vpc-1"),
    a(Kind.SECURITY_GROUP, OWNED, vpc_id="vpc-1"),
    a(Kind.SECURITY_GROUP, {}, group_name="k8s-traffic-myeks-0123456789", vpc_id="vpc-1"),
    a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=LATER),
    a(Kind.LOG_GROUP, {}, id="/aws/containerinsights/myeks/performance", born=LATER),
    a(Kind.INSTANCE_PROFILE, {}, role_name="node-role", role_id="AROAREMADE", born=LATER),
    a(Kind.INSTANCE_PROFILE, OWNED, born=LATER),
    a(Kind.DNS_RECORD, {}, id="Z1|www.example.com.|A", txt_owner="ekslab-lab-1"),
    a(Kind.DNS_RECORD, {}, id="Z1|lab.example.com.|A", txt_owner="ekslab-lab-1"),
    a(Kind.DNS_RECORD, {}, id="Z2|app.lab.example.com.|A", txt_owner="ekslab-lab-1"),
    a(Kind.CLUSTER, {LAB_TAG: "lab-1"}, id="myeks", born=LATER + timedelta(hours=1)),
]


@pytest.mark.parametrize("kind", [Kind.VOLUME, Kind.SNAPSHOT])
@pytest.mark.parametrize(
    "named",
    [{CLUSTER_PREFIX + "other": "owned"}, {CLUSTER_PREFIX + "other": "true"}, {LAB_TAG: "lab-2"}]
    + [{key: "other"} for key in OWNING_KEYS],
)
def test_the_drivers_mark_on_what_names_another_cluster_has_nothing_to_do_with_the_lab(
    kind: Kind, named: dict[str, str]
) -> None:
    assert judged(a(kind, {CSI_TAG: "true", **named}, born=LATER), creator=None).action is Action.IGNORE
    assert judged(a(kind, {CSI_TAG: "true"}, born=LATER), creator=None).action is Action.UNPROVEN


@pytest.mark.parametrize("thing", CLAIMED, ids=lambda thing: f"{thing.kind}-{'-'.join(thing.tags) or thing.id}")
def test_what_anybody_can_write_deletes_nothing_and_is_named(thing: Resource) -> None:
    decision = judged(thing, creator=None if thing.tags.get(CSI_TAG) else BY_OTHER)
    assert (decision.action, decision.proof) == (Action.UNPROVEN, None)
    assert decision.how


@pytest.mark.parametrize("thing", CLAIMED, ids=lambda thing: f"{thing.kind}-{'-'.join(thing.tags) or thing.id}")
def test_a_claim_inside_a_vpc_of_the_labs_proves_all_but_instances_and_their_groups(thing: Resource) -> None:
    inside = replace(thing, attributes={**thing.attributes, "vpc-id": "vpc-1"})
    decision = judge(inside, TARGET, {})
    if thing.kind in (Kind.INSTANCE, Kind.AUTO_SCALING_GROUP, Kind.CLUSTER):
        assert decision.action in (Action.BLOCK, Action.UNPROVEN)
        assert "tag" in decision.how
    else:
        assert decision.proof is Proof.OWN_VPC


@pytest.mark.parametrize(
    "thing",
    [
        a(Kind.VOLUME, {"Name": "myeks-dynamic-pvc"}, born=LATER),
        a(Kind.SECURITY_GROUP, {}, group_name="k8s-elb-a0b1", vpc_id="vpc-1"),
        a(Kind.SECURITY_GROUP, {}, group_name="k8s-traffic-myeks2-0123456789", vpc_id="vpc-1"),
        a(Kind.SECURITY_GROUP, {}, group_name="GuardDutyManagedSecurityGroup-vpc-1", vpc_id="vpc-1"),
        a(Kind.NETWORK_INTERFACE, {"node.k8s.amazonaws.com/createdAt": "now"}, status="available", vpc_id="vpc-1"),
        a(Kind.NETWORK_INTERFACE, {}, requester_id="AROALABX:i-0123", vpc_id="vpc-1"),
        a(Kind.LAUNCH_TEMPLATE, {}, born=LATER, created_by="arn:aws:iam::111122223333:user/node-role"),
        a(Kind.LAUNCH_TEMPLATE, {}, born=LATER, created_by="arn:aws:sts::111122223333:assumed-role/node-role2/x"),
        a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks2/cluster", born=LATER),
        a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster-of-mine", born=LATER),
        a(Kind.OIDC_PROVIDER, {}, issuer=f"{ISSUER}B", born=LATER),
        a(Kind.DNS_RECORD, {}, id="Z1|www.example.com.|A", txt_owner="default"),
        a(Kind.DNS_RECORD, {}, id="Z1|xlab.example.com.|A", txt_owner="ekslab-lab-10"),
        a(Kind.CLUSTER, {}, id="myeks", born=LATER + timedelta(hours=1)),
        a(Kind.INSTANCE, {}, profile_id="AIPAOTHER", born=LATER, vpc_id="vpc-1"),
    ],
    ids=lambda thing: f"{thing.kind}-{'-'.join(thing.tags) or thing.id}",
)
def test_what_neither_proves_nor_claims_is_none_of_our_business(thing: Resource) -> None:
    assert judged(thing).action is Action.IGNORE


VETOES: list[tuple[dict[str, str], str]] = [
    ({CLUSTER_PREFIX + "other": "shared"}, "shared"),
    ({CLUSTER_PREFIX + "myeks": "shared"}, "shared"),
    *(({CLUSTER_PREFIX + "other": value}, "cluster other") for value in ("owned", "true", "")),
    ({CLUSTER_PREFIX + "myeks2": "owned"}, "cluster myeks2"),
    ({"sigs.k8s.io/cluster-api-provider-aws/cluster/other": "owned"}, "cluster other"),
    *(({key: "other"}, "cluster other") for key in (*OWNING_KEYS, *OTHERS_KEYS)),
    *(({key: "anything"}, "Another tool") for key in TOOLS_KEYS),
    ({LAB_TAG: "lab-2"}, "lab-2"),
    ({STACK_ID_TAG: "arn:aws:cloudformation:ap-northeast-2:111122223333:stack/theirs/1"}, "stack"),
    ({STACK_TAG: "theirs"}, "theirs"),
]


@pytest.mark.parametrize(("tags", "word"), VETOES, ids=lambda value: str(value))
def test_a_veto_beats_claims_the_ledger_the_own_vpc_and_the_creator_alike(tags: dict[str, str], word: str) -> None:
    thing = a(Kind.TARGET_GROUP, {**OWNED, **tags}, vpc_id="vpc-1")
    for target in (TARGET, GUEST):
        for ledger in ({}, on_ledger(thing), seen(thing, BY_LAB)):
            decision = judge(thing, target, ledger)
            assert (decision.action, decision.ours) == (Action.KEEP, False)
            assert word in decision.reason


def test_what_was_there_before_is_never_the_labs_by_birth_date_or_by_begins_list() -> None:
    old = a(Kind.VOLUME, OWNED, born=BORN - timedelta(days=7))
    group = a(Kind.SECURITY_GROUP, OWNED, vpc_id="vpc-1")
    listed = replace(GUEST, before=frozenset({group.arn}))
    for thing, target in ((old, GUEST), (group, listed)):
        decision = judge(thing, target, seen(thing, replace(BY_LAB, at=LATER)))
        assert decision.action is Action.KEEP
        assert "before the lab" in decision.reason


def test_birth_in_the_same_second_is_not_before_the_lab() -> None:
    target = replace(GUEST, created_at=BORN + timedelta(milliseconds=900))
    thing = a(Kind.VOLUME, OWNED, born=BORN)
    assert judge(thing, target, seen(thing, replace(BY_LAB, at=BORN))).ours


def test_what_something_else_uses_is_kept_and_what_the_labs_uses_is_not() -> None:
    group = a(Kind.TARGET_GROUP, OWNED, used_by="arn:theirs arn:ours", vpc_id="vpc-1")
    decision = judge(group, TARGET, {})
    assert decision.action is Action.KEEP
    assert "arn:theirs" in decision.reason
    assert judge(group, replace(TARGET, own_ids=frozenset({"arn:theirs", "arn:ours"})), {}).ours


@pytest.mark.parametrize(
    "creator",
    [
        BY_OTHER,
        replace(BY_LAB, role_id="AROAREMADE"),
        replace(BY_LAB, linked=True),
        replace(BY_POD, issuer=f"{ISSUER}B"),
        replace(BY_LAB, at=BORN - timedelta(minutes=1)),
        Creator("unknown", LATER),
    ],
)
def test_somebody_else_a_remade_role_and_a_service_linked_one_prove_nothing(creator: Creator) -> None:
    assert judged(a(Kind.VOLUME, OWNED, born=LATER), GUEST, creator).action is Action.UNPROVEN


def test_without_a_list_of_what_was_there_before_a_thing_without_a_birth_date_is_not_proved_by_its_creator() -> None:
    group = a(Kind.SECURITY_GROUP, OWNED, vpc_id="vpc-1")
    assert judged(group, GUEST, BY_LAB).ours
    assert judged(group, replace(GUEST, before=None), BY_LAB).action is Action.UNPROVEN
    assert judged(a(Kind.VOLUME, OWNED, born=LATER), replace(GUEST, before=None), BY_LAB).ours


def test_a_cluster_without_an_issuer_makes_no_web_identity_ours() -> None:
    nameless = replace(GUEST, oidc_issuer=None)
    assert judged(a(Kind.VOLUME, OWNED, born=LATER), nameless, replace(BY_POD, issuer="")).action is Action.UNPROVEN


@pytest.mark.parametrize("how", [ASKED_FOR, BY_STACK, BY_EKS])
def test_the_answer_of_our_own_call_is_proof_also_on_a_ledger_from_before(how: str) -> None:
    thing = a(Kind.KEY_PAIR, {}, id="key-1", born=LATER)
    assert judge(thing, GUEST, on_ledger(thing, how)).ours
    tagged = on_ledger(replace(thing, tags={LAB_TAG: "lab-1"}), f"tag {LAB_TAG}")
    assert judge(replace(thing, tags={LAB_TAG: "lab-1"}), GUEST, tagged).action is Action.UNPROVEN


@pytest.mark.parametrize("kind", [Kind.INSTANCE_PROFILE, Kind.CLASSIC_LOAD_BALANCER, Kind.LOG_GROUP, Kind.ROLE])
def test_a_name_on_the_ledger_proves_only_the_thing_of_that_birth_date(kind: Kind) -> None:
    ours = a(kind, {LAB_TAG: "lab-1"}, id="named", born=LATER)
    remade = replace(ours, created_at=LATER + timedelta(hours=1))
    for ledger in (on_ledger(ours), seen(ours, BY_LAB), on_ledger(ours, "made by x", proof=Proof.CREATOR)):
        assert judge(ours, GUEST, ledger).ours
        assert judge(remade, GUEST, ledger).action is Action.UNPROVEN
        assert judge(replace(ours, created_at=None), GUEST, ledger).action is Action.UNPROVEN


@pytest.mark.parametrize("kind", list(Kind))
def test_a_guests_things_are_kept_whatever_their_tags(kind: Kind) -> None:
    thing = a(kind, {**OWNED, LAB_TAG: "lab-1"}, vpc_id="vpc-1")
    assert judge(thing, TARGET, on_ledger(thing, guest=True)).action is Action.KEEP


def test_the_name_points_to_nothing_before_the_lab_had_a_cluster_and_after_it_was_gone() -> None:
    thing = a(Kind.VOLUME, OWNED, born=LATER)
    assert judged(thing, replace(GUEST, had_cluster=False)).action is Action.IGNORE
    gone = replace(GUEST, cluster_gone_at=LATER - timedelta(minutes=1), own_cluster_arn=None)
    assert judged(thing, gone).action is Action.IGNORE
    assert judged(replace(thing, tags={LAB_TAG: "lab-1"}), gone).action is Action.UNPROVEN
    taken = replace(GUEST, name_taken_over=True, cluster_gone_at=LATER, own_cluster_arn=None)
    assert judged(thing, taken).action is Action.UNPROVEN
    assert judged(thing, taken, BY_LAB).ours


GONE = replace(GUEST, cluster_gone_at=LATER, own_cluster_arn=None)
OURS = a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=BORN)
STRUCK_OFF = on_ledger(OURS, BY_STACK, state=EntryState.DELETED, changed_at=LATER + timedelta(minutes=5))


def test_late_lines_are_deleted_within_an_hour_bare_and_while_nobody_has_the_name() -> None:
    late = replace(OURS, created_at=LATER + timedelta(minutes=9))
    assert judge(late, GONE, STRUCK_OFF).action is Action.DELETE


def test_late_lines_are_deleted_as_often_as_they_come() -> None:
    again = on_ledger(
        OURS, BY_STACK, state=EntryState.DELETED, proof=Proof.AWS, changed_at=LATER + timedelta(minutes=5)
    )
    late = replace(OURS, created_at=LATER + timedelta(minutes=9))
    assert judge(late, GONE, again).action is Action.DELETE


@pytest.mark.parametrize(
    ("late", "target", "ledger"),
    [
        (replace(OURS, created_at=LATER + timedelta(hours=9)), GONE, STRUCK_OFF),
        (replace(OURS, created_at=LATER, tags={"team": "x"}), GONE, STRUCK_OFF),
        (replace(OURS, created_at=LATER, attributes={"retention": "30"}), GONE, STRUCK_OFF),
        (replace(OURS, created_at=LATER), replace(GONE, name_taken_over=True), STRUCK_OFF),
        (replace(OURS, created_at=LATER), GONE, {}),
        (replace(OURS, created_at=LATER), GONE, on_ledger(OURS, BY_EKS, state=EntryState.DELETED)),
    ],
)
def test_any_other_log_group_of_the_name_is_somebodys(
    late: Resource, target: Target, ledger: Mapping[str, LedgerEntry]
) -> None:
    assert not judge(late, target, ledger).ours


def test_what_the_stack_made_goes_with_the_stack() -> None:
    tagged = a(Kind.SECURITY_GROUP, {STACK_ID_TAG: STACK_ID, STACK_TAG: "ekslab-lab-1"}, vpc_id="vpc-1")
    listed = a(Kind.SECURITY_GROUP, {}, vpc_id="vpc-1", logical_id="NodeGroup")
    assert judge(tagged, TARGET, {}).action is Action.LEAVE
    assert judge(a(Kind.SECURITY_GROUP, {}, vpc_id="vpc-1"), TARGET, on_ledger(listed, BY_STACK)).action is Action.LEAVE


def test_a_strangers_thing_in_the_labs_own_vpc_is_in_the_way_but_never_deleted() -> None:
    for kind in (Kind.NETWORK_INTERFACE, Kind.INSTANCE, Kind.AUTO_SCALING_GROUP):
        stranger = a(kind, {"Name": "my-experiment"}, status="available", vpc_id="vpc-1")
        assert judge(stranger, TARGET, {}).action is Action.BLOCK
        assert judge(stranger, GUEST, {}).action is Action.IGNORE
    assert judge(a(Kind.SECURITY_GROUP, {}, group_name="default", vpc_id="vpc-1"), TARGET, {}).action is Action.IGNORE


def test_an_untagged_target_group_in_the_labs_own_vpc_is_named() -> None:
    group = a(Kind.TARGET_GROUP, {}, vpc_id="vpc-1")
    assert judge(group, TARGET, {}).action is Action.UNPROVEN
    assert judge(group, GUEST, {}).action is Action.IGNORE


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


def test_a_node_group_is_the_labs_while_the_cluster_that_has_it_is() -> None:
    group = replace(a(Kind.NODEGROUP), arn="arn:aws:eks:r:1:nodegroup/myeks/workers/0001")
    assert judge(group, TARGET, {}).ours
    assert not judge(group, replace(TARGET, own_cluster_arn=None), {}).ours
    assert not judge(replace(group, arn="arn:aws:eks:r:1:nodegroup/myeks2/workers/0001"), TARGET, {}).ours


def test_a_log_group_of_the_stack_that_is_there_again_waits_for_no_stack() -> None:
    """Also if it was recreated within minutes of the first one: its stack is deleted and takes nothing along."""
    born = BORN + timedelta(minutes=1)
    group = a(Kind.LOG_GROUP, {}, id="/aws/eks/myeks/cluster", born=born, logical_id="ControlPlaneLogs")
    for state, action in ((EntryState.PRESENT, Action.LEAVE), (EntryState.DELETED, Action.DELETE)):
        assert judge(group, TARGET, on_ledger(group, BY_STACK, state=state)).action is action


HINDRANCES = [
    (a(Kind.ROUTE_TABLE, {}, id="rtb-1", vpc_id="vpc-1"), "in the lab's own VPC"),
    (a(Kind.ELASTIC_IP, {}, id="eipalloc-1", vpc_id="vpc-1", attached_to="eni-9"), "attached to eni-9"),
    (a(Kind.AUTO_SCALING_GROUP, {}, id="theirs", vpc_id="vpc-1"), "in the lab's own VPC"),
    (a(Kind.SECURITY_GROUP, {}, id="sg-9", vpc_id="vpc-1", refers_to="ingress tcp 22 for sg-1"), "ingress tcp 22 for sg-1"),
    (a(Kind.SECURITY_GROUP, {}, id="sg-9", vpc_id="vpc-2", refers_to="ingress tcp 22 for sg-1"), "Its rule refers to a group"),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "told"), HINDRANCES, ids=lambda value: getattr(value, "id", ""))
def test_what_somebody_put_in_the_way_blocks_and_says_how(thing: Resource, told: str) -> None:
    decision = judge(thing, TARGET, {})
    assert decision.action is Action.BLOCK
    assert told in decision.reason


def test_a_rule_in_an_existing_network_blocks_too_and_its_group_stays() -> None:
    theirs = a(Kind.SECURITY_GROUP, {"team": "x"}, id="sg-9", vpc_id="vpc-1", refers_to="egress all traffic for sg-eks")
    assert judge(theirs, GUEST, {}).action is Action.BLOCK


def test_the_stacks_own_route_table_and_address_wait_for_their_stack() -> None:
    for kind in (Kind.ROUTE_TABLE, Kind.ELASTIC_IP):
        own = a(kind, {STACK_ID_TAG: STACK_ID}, vpc_id="vpc-1")
        assert judge(own, TARGET, {}).action is Action.LEAVE
