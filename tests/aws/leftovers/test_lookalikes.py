"""The most important promise: in random accounts, sweeping deletes everything of the lab's and nothing of anyone else's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.teardown import evidence
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, LAB_TAG
from tests.aws.leftovers.accounts import MotoAccount, Thing
from tests.aws.leftovers.given import ISSUER, NODE_ROLE, LabOnMoto, a_lab_on_moto
from tests.examples import examples
from tests.fakes.trail import CREATIONS

IN_A_VPC = (
    Kind.LOAD_BALANCER,
    Kind.TARGET_GROUP,
    Kind.CLASSIC_LOAD_BALANCER,
    Kind.SECURITY_GROUP,
    Kind.NETWORK_INTERFACE,
    Kind.INSTANCE,
    Kind.MOUNT_TARGET,
)
ANYWHERE = (Kind.VOLUME, Kind.SNAPSHOT, Kind.LAUNCH_TEMPLATE)
OWN, OTHER = 0, 1

#: Tags that make a resource in the lab's network the lab's.
PROOFS = (
    {CLUSTER_PREFIX + "myeks": "owned"},
    {"elbv2.k8s.aws/cluster": "myeks"},
    {"eks:eks-cluster-name": "myeks", "Name": "anything"},
    {CLUSTER_PREFIX + "myeks": "owned", "ebs.csi.aws.com/cluster": "true"},
)
#: Similar tags that do not.
LOOK_ALIKES = (
    {},
    {"Name": "myeks"},
    {"ebs.csi.aws.com/cluster": "true"},
    {CLUSTER_PREFIX + "myeks2": "owned"},
    {CLUSTER_PREFIX + "other": "owned"},
    {CLUSTER_PREFIX + "myeks": "shared"},
    {CLUSTER_PREFIX + "myeks": "owned", CLUSTER_PREFIX + "other": "shared"},
    {CLUSTER_PREFIX + "myeks": "owned", "eks:cluster-name": "other"},
    {"elbv2.k8s.aws/cluster": "myeks2"},
    {"elbv2.k8s.aws/cluster": "myeks", LAB_TAG: "lab-of-someone-else"},
    {"KubernetesCluster": "myeks"},
)


@dataclass(frozen=True)
class Drop:
    """One resource to create in the account."""

    kind: Kind
    tags: int
    ours: bool
    place: int = OWN

    def into(self, given: LabOnMoto) -> Thing:
        tags = (PROOFS if self.ours else LOOK_ALIKES)[self.tags]
        thing = given.account.drop(self.kind, tags, given.account.places[self.place])
        return given.made(thing) if self.ours and self.kind in CREATIONS else thing


ours = st.builds(Drop, st.sampled_from(IN_A_VPC + ANYWHERE), st.integers(0, len(PROOFS) - 1), st.just(True))
look_alikes = st.builds(
    Drop,
    st.sampled_from(IN_A_VPC + ANYWHERE),
    st.integers(0, len(LOOK_ALIKES) - 1),
    st.just(False),
    st.sampled_from([OWN, OTHER]),
)


def others_special(account: MotoAccount) -> list[Thing]:
    """Look-alikes by name, and resources with the lab's name in another network."""
    issuer = ISSUER[:-1] + "2"
    elsewhere = {CLUSTER_PREFIX + "myeks": "owned", "topology.kubernetes.io/region": "eu-west-1"}
    things = [
        account.drop_log_group("/aws/eks/myeks2/cluster"),
        account.drop_log_group("/aws/eks/myeks/cluster-notes"),
        account.drop_log_group("/aws/eks/myeks/cluster"),
        account.drop_oidc_provider(issuer),
        account.drop_profile("myeks_nodes", "role-of-someone-else"),
        account.drop_profile("myeks_0123", "role-in-another-region", elsewhere),
        account.drop(Kind.SECURITY_GROUP, {CLUSTER_PREFIX + "myeks": "owned"}, account.places[OTHER]),
        account.drop(Kind.LOAD_BALANCER, {"elbv2.k8s.aws/cluster": "myeks"}, account.places[OTHER]),
        account.drop(Kind.KEY_PAIR, {LAB_TAG: "lab-of-someone-else"}, account.places[OTHER]),
    ]
    things += account.drop_record("by-hand.example.com", None)
    things += account.drop_record("theirs.example.com", "default", "a-")
    things += account.drop_record("nearly.example.com", "ekslab-lab-10")
    things += account.drop_record("outside.example.com", "ekslab-lab-7f3k2m9x")
    return things


def ours_special(given: LabOnMoto) -> list[Thing]:
    """Resources that are the lab's by issuer, role, subdomain, its own VPC or their creator."""
    account, lab = given.account, given.lab
    things = [
        account.drop_oidc_provider(ISSUER),
        account.drop_profile("eks-0123", NODE_ROLE),
        given.made(account.drop(Kind.KEY_PAIR, {LAB_TAG: lab.id}, account.places[OWN])),
        account.drop(Kind.NETWORK_INTERFACE, {"node.k8s.amazonaws.com/createdAt": "now"}, account.places[OWN]),
        given.made(account.drop(Kind.INSTANCE, {LAB_TAG: lab.id}, account.places[OTHER])),
    ]
    things += account.drop_record("old.lab.example.com", lab.txt_owner_id)
    things += account.drop_record("new.lab.example.com", lab.txt_owner_id, "a-")
    return things


def survivors_and_victims(drops: list[Drop]) -> tuple[list[Thing], list[Thing]]:
    """Fill an account, sweep it to the end; return the lab's remaining resources and other people's changed ones."""
    with mock_aws():
        given = a_lab_on_moto()
        mine = [drop.into(given) for drop in drops if drop.ours] + ours_special(given)
        theirs = [drop.into(given) for drop in drops if not drop.ours] + others_special(given.account)
        before = {thing: given.account.look(thing) for thing in theirs}
        assert None not in before.values()
        assert all(given.account.look(thing) is not None for thing in mine)
        given.sweep_to_the_end()
        left = [thing for thing in mine if given.account.look(thing) is not None]
        return left, [thing for thing in theirs if given.account.look(thing) != before[thing]]


@settings(max_examples=examples(8), deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(ours, look_alikes), max_size=12))
def test_everything_of_the_labs_goes_and_nothing_of_anyone_elses_is_touched(drops: list[Drop]) -> None:
    left, touched = survivors_and_victims(drops)
    assert left == []
    assert touched == []


EVERY_LOOK_ALIKE = [Drop(kind, tags, False) for kind in IN_A_VPC + ANYWHERE for tags in range(len(LOOK_ALIKES))]
#: Enough to see that a rule is broken.
A_FEW = [drop for drop in EVERY_LOOK_ALIKE if drop.kind in (Kind.SECURITY_GROUP, Kind.VOLUME)]


def test_every_look_alike_of_every_kind_survives_in_the_labs_own_network() -> None:
    assert survivors_and_victims(EVERY_LOOK_ALIKE)[1] == []


def test_the_promise_holds_for_a_guest_in_someone_elses_network() -> None:
    with mock_aws():
        given = a_lab_on_moto(guest=True)
        account = given.account
        theirs = [drop.into(given) for drop in EVERY_LOOK_ALIKE]
        theirs += [account.drop(Kind.NETWORK_INTERFACE, {"node.k8s.amazonaws.com/createdAt": "x"}, account.places[OWN])]
        mine = [Drop(kind, 0, True).into(given) for kind in IN_A_VPC + ANYWHERE]
        before = {thing: account.look(thing) for thing in theirs}
        given.sweep_to_the_end()
        assert {thing: account.look(thing) for thing in theirs} == before
        assert [thing for thing in mine if account.look(thing)] == []


@pytest.mark.parametrize(
    ("where", "rule", "broken"),
    [
        (evidence, "is_shared", lambda tags: False),
        (evidence, "other_claimants", lambda cluster, tags: ()),
        (evidence, "claim_of", lambda cluster, tags: next((k for k in tags if cluster in k + tags[k]), None)),
        (evidence, "_made_by_the_lab", lambda resource, target, entry: "it was found"),
        (evidence, "in_own_vpc", lambda resource, target: True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_promise_can_fail_each_broken_rule_is_caught(
    monkeypatch: pytest.MonkeyPatch, where: object, rule: str, broken: object
) -> None:
    monkeypatch.setattr(where, rule, broken)
    assert survivors_and_victims(A_FEW)[1] != []
