"""Kinds times forgeries: nothing without proof is ever deleted, and nothing claimed and billable goes unmentioned.

A resource is put together at random from anybody's writable attributes and from events around it; its real creator is known
here, and to the rule only as far as AWS reports it. Each rule broken on purpose must be detected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.proof import Creator, Proof
from chalicelib.domain.core.resources import BY_STACK, EntryState, InventoryAnswer, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.teardown import creation, evidence
from chalicelib.domain.teardown.creation import creator_of
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, CSI_TAG, LAB_TAG, OWNING_KEYS
from chalicelib.domain.teardown.ownership import judge
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from chalicelib.domain.teardown.reconcile import reconcile
from tests.domain.teardown.test_ownership import BORN, GUEST, ISSUER, LATER, STACK_ID, TARGET
from tests.examples import examples
from tests.fakes.trail import CREATIONS, created, session

NOW = BORN + timedelta(days=1)
SLR = "role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"
BIRTHLESS = {Kind.SECURITY_GROUP, Kind.TARGET_GROUP, Kind.NETWORK_INTERFACE, Kind.ELASTIC_IP, Kind.MOUNT_TARGET}
#: The attributes that anybody can write on a resource, their own or another's.
FORGED_TAGS = (
    {LAB_TAG: "lab-1"},
    {CLUSTER_PREFIX + "myeks": "owned"},
    {CLUSTER_PREFIX + "myeks": "true"},
    *({key: "myeks"} for key in OWNING_KEYS),
    {LAB_TAG: "lab-1", CLUSTER_PREFIX + "myeks": "owned", "ekslab:owner": "jane", "ekslab:installation": "school"},
    {CSI_TAG: "true"},
    {CLUSTER_PREFIX + "myeks": "owned", "elbv2.k8s.aws/cluster": "myeks", CSI_TAG: "true"},
    {LAB_TAG: "lab-1", "aws:cloudformation:stack-name": "ekslab-lab-1"},
)
#: Tags with several claims to the resource, which protect it from deletion for any creator.
SEVERAL_OWNERS = (
    {LAB_TAG: "lab-1", CLUSTER_PREFIX + "prod": "true"},
    {CLUSTER_PREFIX + "myeks": "owned", CLUSTER_PREFIX + "prod": "owned"},
    {CLUSTER_PREFIX + "myeks": "shared"},
    {LAB_TAG: "lab-2"},
    {LAB_TAG: "lab-1", "KubernetesCluster": "prod"},
    {LAB_TAG: "lab-1", "velero.io/backup": "nightly"},
    {LAB_TAG: "lab-1", "aws:cloudformation:stack-id": "arn:aws:cloudformation:x:1:stack/shop/1"},
)
FORGED_NAMES = {
    Kind.SECURITY_GROUP: {"group-name": "k8s-traffic-myeks-0123456789"},
    Kind.NETWORK_INTERFACE: {"status": "available", "description": "aws-K8S-i-0123", "requester-id": "AROAOTHER:i-1"},
    Kind.VPC_ENDPOINT: {"service-name": "com.amazonaws.ap-northeast-2.guardduty-data"},
    Kind.INSTANCE_PROFILE: {"role-name": "node-role", "role-id": "AROAREMADE"},
    Kind.DNS_RECORD: {"txt-owner": "ekslab-lab-1"},
    Kind.LAUNCH_TEMPLATE: {"created-by": "arn:aws:sts::111122223333:assumed-role/somebodys/x"},
    Kind.INSTANCE: {"profile-id": "AIPAOTHER"},
}
IDS = {
    Kind.LOG_GROUP: "/aws/eks/myeks/cluster",
    Kind.DNS_RECORD: "Z1|www.example.com.|A",
    Kind.CLUSTER: "myeks",
}
#: The possible creators of a resource that is not the lab's, as CloudTrail would report them.
STRANGERS: tuple[dict[str, Any], ...] = (
    {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/somebody"},
    session("AROAOTHER", "role/somebodys"),
    session("AROAREMADE", "role/ekslab/node-role"),
    session("AROASHARED", SLR),
    session("AROAOTHER", "role/pods", webIdFederationData={"federatedProvider": f"{ISSUER}B"}),
)
LAB = session("AROALAB", "role/ekslab/csi")


@dataclass(frozen=True)
class Foreign:
    """Another owner's resource that resembles the lab's, and the lab's own actions near it."""

    kind: Kind
    tags: dict[str, str]
    named: bool
    vpc: str
    born: int
    maker: dict[str, Any]
    mentions: bool = False
    failed: bool = False
    repeated: int | None = None
    delayed: bool = False

    @cached_property
    def thing(self) -> Resource:
        facts = {**(FORGED_NAMES.get(self.kind, {}) if self.named else {}), "vpc-id": self.vpc}
        if self.kind is Kind.CLASSIC_LOAD_BALANCER:
            facts["dns-name"] = "theirs.elb.amazonaws.com"
        id = IDS.get(self.kind, f"{self.kind}-1")
        born = None if self.kind in BIRTHLESS else self.at
        return Resource(self.kind, id, f"arn:aws:x:r:1:{self.kind}/{id}", self.tags, facts, born)

    @cached_property
    def at(self) -> Any:
        return BORN + timedelta(minutes=self.born)

    def events(self) -> Iterator[dict[str, Any]]:
        """Newest first, as LookupEvents answers."""
        if self.kind not in CREATIONS:
            return
        yes, thing = self.at, self.thing
        if self.repeated is not None:
            repeatable = self.kind in (Kind.LOAD_BALANCER, Kind.TARGET_GROUP)
            yield created(thing, yes + timedelta(minutes=self.repeated), LAB, **({} if repeatable else _refused()))
        if self.mentions:
            yield created(thing, yes, LAB, responseElements={"other": thing.id}, requestParameters={"x": thing.arn})
            yield created(thing, yes, LAB, eventName="CreateTags")
        if self.failed:
            yield created(thing, yes, LAB, **_refused())
        if not self.delayed:
            yield created(thing, yes, self.maker)


def _refused() -> dict[str, Any]:
    return {"errorCode": "AlreadyExists", "errorMessage": "It exists."}


foreigners = st.builds(
    Foreign,
    kind=st.sampled_from([kind for kind in Kind if kind not in evidence.PARTS_OF_CLUSTER]),
    tags=st.sampled_from(FORGED_TAGS),
    named=st.booleans(),
    vpc=st.sampled_from(["vpc-1", "vpc-2"]),
    born=st.integers(1, 600),
    maker=st.sampled_from(STRANGERS),
    mentions=st.booleans(),
    failed=st.booleans(),
    repeated=st.none() | st.integers(1, 500),
    delayed=st.just(False),
)
#: A guest; one whose cluster is gone; one whose name is taken; a lab from before such checks; one without roles.
TARGETS = (
    GUEST,
    replace(GUEST, own_cluster_arn=None, cluster_gone_at=LATER),
    replace(GUEST, own_cluster_arn=None, cluster_gone_at=LATER, name_taken_over=True),
    replace(GUEST, before=None, role_ids=frozenset(), true_role_names=frozenset(), profile_ids=frozenset()),
)


def ledger_of(foreign: Foreign) -> dict[str, LedgerEntry]:
    """The ledger after the lab's check."""
    thing = foreign.thing
    creator = creator_of(thing, foreign.events(), NOW)
    return {thing.arn: LedgerEntry(thing, EntryState.UNPROVEN, "tag x", BORN, BORN, creator=creator)}


def deletes(foreign: Foreign, *targets: Target) -> bool:
    """Whether one of these labs deletes the resource, unknown or as the ledger knows it."""
    thing, ledger = foreign.thing, ledger_of(foreign)
    return any(judge(thing, target, known).ours for target in targets for known in ({}, ledger))


@settings(max_examples=examples(600), deadline=None)
@given(foreigners, st.sampled_from(TARGETS))
def test_nothing_that_no_proof_covers_is_ever_deleted(foreign: Foreign, target: Target) -> None:
    assert not deletes(foreign, target)


@settings(max_examples=examples(300), deadline=None)
@given(foreigners, st.sampled_from(TARGETS), st.booleans())
def test_nothing_claimed_goes_unmentioned_and_no_receipt_with_it_is_clean(
    foreign: Foreign, target: Target, known: bool
) -> None:
    thing = foreign.thing
    ledger = tuple(ledger_of(foreign).values()) if known else ()
    made = reconcile("now", NOW, ledger, InventoryAnswer((thing,), ("s",), ()), target)
    entry = ledger[0] if known else None
    if any(evidence.claims(thing, target, entry)):
        (line,) = made.lines
        assert line.outcome is ReceiptOutcome.LEFT
        assert not made.clean


@settings(max_examples=examples(300), deadline=None)
@given(foreigners, st.sampled_from(TARGETS), st.integers(-600, -1), st.booleans())
def test_what_was_there_before_the_lab_stays_whatever_it_says_later(
    foreign: Foreign, target: Target, before: int, known: bool
) -> None:
    """By its creation date, or by the list that `begin` made where AWS reports none."""
    older = replace(foreign, born=before)
    listed = replace(target, before=frozenset({older.thing.arn}) if older.kind in BIRTHLESS else target.before)
    assert not deletes(older, listed)
    ledger = tuple(ledger_of(older).values()) if known else ()
    made = reconcile("now", NOW, ledger, InventoryAnswer((older.thing,), ("s",), ()), listed)
    assert {line.outcome for line in made.lines} <= {ReceiptOutcome.KEPT, ReceiptOutcome.LEFT}


@settings(max_examples=examples(100), deadline=None)
@given(foreigners, st.sampled_from(TARGETS), st.sampled_from(["tags", "network", "direct look at arn:x"]))
def test_no_receipt_is_clean_while_a_source_could_not_be_read(foreign: Foreign, target: Target, source: str) -> None:
    made = reconcile("now", NOW, (), InventoryAnswer((), ("s",), (f"{source}: denied",)), target)
    assert not made.clean


@settings(max_examples=examples(200), deadline=None)
@given(foreigners)
def test_an_unreadable_history_proves_nothing(foreign: Foreign) -> None:
    thing = foreign.thing
    unknown = LedgerEntry(thing, EntryState.UNPROVEN, "tag x", BORN, BORN, reason="cloudtrail:LookupEvents: denied")
    decision = judge(thing, GUEST, {thing.arn: unknown})
    assert not decision.ours


@settings(max_examples=examples(200), deadline=None)
@given(foreigners, st.sampled_from(["before", "shared", "other cluster"]))
def test_what_the_lab_did_make_stays_too_when_something_speaks_against_it(foreign: Foreign, against: str) -> None:
    tags = {"shared": {CLUSTER_PREFIX + "x": "shared"}, "other cluster": {CLUSTER_PREFIX + "x": "true"}}
    thing = replace(foreign.thing, tags={**foreign.tags, **tags.get(against, {})})
    before = frozenset({thing.arn}) if against == "before" else frozenset[str]()
    own = Creator("role", BORN + timedelta(minutes=foreign.born), role_id="AROALAB")
    entry = LedgerEntry(thing, EntryState.PRESENT, "made by x", BORN, BORN, proof=Proof.CREATOR, creator=own)
    for target in (TARGET, GUEST):
        assert not judge(thing, replace(target, before=before), {thing.arn: entry}).ours


@pytest.mark.parametrize("tags", SEVERAL_OWNERS, ids=str)
@pytest.mark.parametrize("kind", sorted(CREATIONS))
def test_what_several_say_is_theirs_stays_though_the_lab_made_it(kind: Kind, tags: dict[str, str]) -> None:
    assert not is_deleted_though_vetoed(kind, tags)


def is_deleted_though_vetoed(kind: Kind, tags: dict[str, str], **changes: Any) -> bool:
    """Whether a resource that one of the lab's roles created is deleted, in the lab's own network or in another."""
    mine = Foreign(kind, tags, False, "vpc-1", 30, LAB)
    thing = replace(mine.thing, attributes={**mine.thing.attributes, **changes.pop("facts", {})})
    return any(judge(thing, replace(target, **changes), ledger_of(mine)).ours for target in (TARGET, GUEST))


#: One of every kind and forgery, all of them repeated, mentioned and failed by the lab.
EVERY = [
    Foreign(kind, tags, True, "vpc-2", 30, maker, mentions, mentions, repeated)
    for kind in (*CREATIONS, Kind.DNS_RECORD, Kind.CLUSTER)
    for tags in FORGED_TAGS
    for maker in STRANGERS
    for mentions, repeated in ((False, None), (True, None), (False, 1), (False, 90))
]


def test_every_forgery_of_every_kind_is_left() -> None:
    assert [foreign for foreign in EVERY if deletes(foreign, *TARGETS)] == []


def _any_maker(resource: Resource, target: Target, entry: LedgerEntry | None) -> str:
    return "made" if entry is not None and entry.creator is not None else ""


def _linked_too(creator: Creator) -> Creator:
    return replace(creator, role_id="AROALAB")


BROKEN: list[tuple[Any, str, Callable[..., Any]]] = [
    (evidence, "_made_by_the_lab", _any_maker),
    (evidence, "in_own_vpc", lambda resource, target: True),
    (evidence, "_is_same", lambda resource, entry: True),
    (evidence, "_in_subdomain", lambda resource, target: "below" if resource.kind is Kind.DNS_RECORD else ""),
    (creation, "_answers_with", lambda resource, making, event, at: True),
    (creation, "NEAR", timedelta(days=9)),
    (creation, "_creator", lambda event: Creator("x", BORN + timedelta(minutes=30), role_id="AROALAB")),
    (evidence, "_BY_KIND", dict.fromkeys(Kind, lambda resource, target: "so it says")),
    (evidence, "_network_interface", lambda resource, target: resource.attributes.get("requester-id", "")),
    (evidence, "STACK_ID_TAG", "aws:cloudformation:stack-name"),
    (evidence, "proofs", lambda resource, target, entry: ((Proof.AWS, told) for told in evidence.claims(resource, target, entry))),
]  # fmt: skip


@pytest.mark.parametrize(("where", "rule", "broken"), BROKEN, ids=[rule for _, rule, _ in BROKEN])
def test_each_rule_broken_on_purpose_is_caught(
    monkeypatch: pytest.MonkeyPatch, where: Any, rule: str, broken: Any
) -> None:
    monkeypatch.setattr(where, rule, broken)
    more = [*EVERY, *(replace(each, delayed=True, repeated=90, failed=False) for each in EVERY), *_namesakes()]
    assert any(_deletes_now(foreign) for foreign in more)


BROKEN_VETOES: list[tuple[str, Any, dict[str, Any]]] = [
    ("other_claimants", lambda cluster, tags: (), {"tags": SEVERAL_OWNERS[0]}),
    ("is_shared", lambda tags: False, {"tags": SEVERAL_OWNERS[2]}),
    ("other_tool", lambda tags, target: "", {"tags": SEVERAL_OWNERS[5]}),
    ("LAB_TAG", "ekslab:somebodys-id", {"tags": SEVERAL_OWNERS[3]}),
    (
        "was_before",
        lambda resource, target: False,
        {"tags": {}, "before": frozenset({"arn:aws:x:r:1:volume/volume-1"})},
    ),
    ("vetoes", lambda resource, target: iter(()), {"tags": {}, "facts": {"used-by": "i-theirs"}}),
]


@pytest.mark.parametrize(("rule", "broken", "case"), BROKEN_VETOES, ids=[rule for rule, _, _ in BROKEN_VETOES])
def test_each_veto_broken_on_purpose_is_caught(
    monkeypatch: pytest.MonkeyPatch, rule: str, broken: Any, case: dict[str, Any]
) -> None:
    assert not is_deleted_though_vetoed(Kind.VOLUME, **case)
    monkeypatch.setattr(evidence, rule, broken)
    assert is_deleted_though_vetoed(Kind.VOLUME, **case)


def _deletes_now(foreign: Foreign) -> bool:
    return deletes(foreign, *TARGETS) or any(_deletes_as_known(foreign, target) for target in TARGETS)


def _deletes_as_known(foreign: Foreign, target: Target) -> bool:
    """Whether it is deleted because its name is on the ledger, or as late lines without an owner."""
    if foreign.kind not in evidence._NAMES_ARE_REUSED:
        return False
    known = replace(foreign.thing, created_at=BORN)
    entry = LedgerEntry(known, EntryState.PRESENT, BY_STACK, BORN, BORN)
    return judge(foreign.thing, target, {known.arn: entry}).ours


def _namesakes() -> Iterator[Foreign]:
    for kind in (Kind.LOG_GROUP, Kind.INSTANCE_PROFILE, Kind.CLASSIC_LOAD_BALANCER):
        yield Foreign(kind, {LAB_TAG: "lab-1"}, True, "vpc-2", 300, STRANGERS[0])


def test_namesakes_of_what_is_on_the_ledger_are_left() -> None:
    assert [each for each in _namesakes() if any(_deletes_as_known(each, target) for target in TARGETS)] == []


@pytest.mark.parametrize("kind", sorted(set(CREATIONS) - {Kind.AUTO_SCALING_GROUP}))
def test_what_the_lab_made_is_deleted_by_the_same_reading(kind: Kind) -> None:
    mine = replace(Foreign(kind, FORGED_TAGS[0], False, "vpc-2", 30, LAB), maker=LAB)
    assert judge(mine.thing, GUEST, ledger_of(mine)).ours
    assert STACK_ID
