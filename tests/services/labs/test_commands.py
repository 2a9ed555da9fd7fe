"""People's commands, on fakes: the checks before a lab is stored, and the stored lab."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.findings import warning
from chalicelib.domain.errors.tree import InvalidRequest, OverBudget, Throttled
from chalicelib.domain.labs.aws_states import HostedZone, SubnetFacts
from chalicelib.domain.labs.lab import Change, Phase, Planned
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.labs.spec import (
    AccessSpec,
    AddonSpec,
    ExistingNetwork,
    ExternalDnsSpec,
    LabSpec,
    Limits,
    SshSpec,
    VolumePolicy,
)
from chalicelib.domain.requests.offers import NetworkOffer, Offers, ZoneOffer
from chalicelib.services.labs import commands
from chalicelib.services.labs.queries import get_lab
from tests.fakes import NOW, FakeWorld, a_caller, a_lab, a_nodegroup, a_spec, make_deps

SESSION = "arn:aws:sts::111122223333:assumed-role/Learners/data2"


def subnet(id: str, zone: str, public: bool = True) -> SubnetFacts:
    return SubnetFacts(id, "vpc-1", zone, f"10.0.{ord(zone[-1])}.0/24", 200, public, public)


def asked(world: FakeWorld, spec: LabSpec, **caller: str) -> commands.Accepted:
    return commands.request_lab(world.deps, a_caller(**caller), commands.ValidatedRequest(spec), None, "digest", NOW)


def test_a_lab_is_watched_from_its_first_minute_and_ends_with_its_lease() -> None:
    lab = asked(make_deps(), a_spec(lease_hours=3)).lab
    assert (lab.due_at - NOW).total_seconds() == 60 if lab.due_at else False
    assert (lab.lease_ends_at - NOW).total_seconds() == 3 * 3600


def test_a_lab_knows_from_its_birth_how_long_it_may_at_most_live_and_whose_it_is() -> None:
    world = make_deps()
    deps = replace(world.deps, curfew=replace(world.deps.curfew, installation="class-1"))
    lab = commands.request_lab(deps, a_caller(), commands.ValidatedRequest(a_spec()), None, "digest", NOW).lab
    assert lab.ends_by == NOW + timedelta(hours=CurfewRules().max_total_hours)
    assert (lab.tags["ekslab:installation"], lab.tags["ekslab:ends-by"]) == ("class-1", "2026-12-07T10:00:00Z")


def test_no_lease_is_longer_than_what_administrators_allow_in_all() -> None:
    world = make_deps()
    world.curfew.store.put_rules(CurfewRules(max_total_hours=5))
    lab = asked(world, a_spec(lease_hours=8)).lab
    assert lab.lease_ends_at == lab.ends_by == NOW + timedelta(hours=5)


def test_the_role_behind_a_session_gets_in_by_its_whole_arn() -> None:
    world = make_deps()
    world.roles.given["Learners"] = "arn:aws:iam::111122223333:role/school/Learners"
    spec = a_spec(access=(AccessSpec("arn:aws:iam::111122223333:role/Learners"),))
    lab = asked(world, spec, arn=SESSION).lab
    assert [entry.principal_arn for entry in lab.spec.access] == ["arn:aws:iam::111122223333:role/school/Learners"]


def test_existing_subnets_are_looked_up_and_bring_their_vpc() -> None:
    world = make_deps()
    world.store.kept_offers = Offers(networks=(NetworkOffer("vpc-1"),))
    world.network.given_subnets = {
        "subnet-a": subnet("subnet-a", "ap-northeast-2a"),
        "subnet-c": subnet("subnet-c", "ap-northeast-2c"),
    }
    lab = asked(world, a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-c")))).lab
    assert isinstance(lab.spec.network, ExistingNetwork)
    assert lab.spec.network.vpc_id == "vpc-1"


def test_subnets_that_are_not_there_or_in_one_zone_store_nothing() -> None:
    world = make_deps()
    world.network.given_subnets = {"subnet-a": subnet("subnet-a", "x-1a")}
    with pytest.raises(InvalidRequest) as refusal:
        asked(world, a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-c"))))
    assert {finding.code for finding in refusal.value.findings} >= {"subnet-missing", "one-zone"}
    assert world.store.labs == {}


def test_a_hosted_zone_is_found_by_its_domain() -> None:
    world = make_deps()
    world.dns.zones["Z1"] = HostedZone("Z1", "example.com", False)
    world.store.kept_offers = Offers(zones=(ZoneOffer("Z1", "labs.example.com"),))
    lab = asked(world, a_spec(external_dns=ExternalDnsSpec("", "example.com"))).lab
    assert lab.spec.external_dns == ExternalDnsSpec("Z1", f"{lab.id}.labs.example.com")
    assert asked(
        world, a_spec(name="other", external_dns=ExternalDnsSpec("", "labs.example.com"))
    ).lab.spec.external_dns


def test_everything_the_account_has_against_it_is_told_at_once() -> None:
    world = make_deps()
    world.clusters.unknown_addons.add("adot")
    world.store.kept_offers = Offers(zones=(ZoneOffer("Z9", "labs.example.com"),), key_pairs=("nobody",))
    spec = a_spec(
        addons=(AddonSpec("adot"),),
        external_dns=ExternalDnsSpec("Z9", ""),
        ssh=SshSpec("nobody", None, ("1.2.3.4/32",)),
    )
    with pytest.raises(InvalidRequest) as refusal:
        asked(world, spec)
    assert {finding.code for finding in refusal.value.findings} == {"zone-missing", "key-pair-missing", "addon-missing"}


def test_a_stack_longer_than_cloudformation_takes_is_refused_before_it_is_stored() -> None:
    world = make_deps()
    groups = tuple(a_nodegroup(name=f"group-{n}", max=1, min=0, desired=0) for n in range(10))
    tags = {f"course-{n}": "a word or two about it" for n in range(40)}
    with pytest.raises(InvalidRequest) as refusal:
        asked(world, a_spec(nodegroups=groups, tags=tags))
    assert [(finding.path, finding.code) for finding in refusal.value.findings] == [("tags", "too-large")]
    assert world.store.list_labs(None, (), 10, None).items == ()
    assert asked(world, a_spec(nodegroups=groups, tags={"course": "eks"})).lab.phase is Phase.REQUESTED
    assert asked(world, a_spec(name="other", tags=tags)).lab.phase is Phase.REQUESTED


def test_a_key_pair_that_is_there_is_taken() -> None:
    world = make_deps()
    world.account.add(Kind.KEY_PAIR, key_name="mine")
    world.store.kept_offers = Offers(key_pairs=("mine",))
    assert asked(world, a_spec(ssh=SshSpec("mine", None, ("1.2.3.4/32",)))).lab.phase is Phase.REQUESTED


def test_warnings_travel_with_the_answer() -> None:
    note = warning("x", "code", "message")
    answer = commands.request_lab(
        make_deps().deps, a_caller(), commands.ValidatedRequest(a_spec(), (note,)), None, "digest", NOW
    )
    assert note in answer.findings


@pytest.mark.parametrize(("policy", "word"), [(VolumePolicy.KEEP, "kept"), (VolumePolicy.SNAPSHOT, "snapshotted")])
def test_releasing_names_what_becomes_of_volumes(policy: VolumePolicy, word: str) -> None:
    world = make_deps()
    world.store.put(a_lab(phase="ready", spec=a_spec(volumes=policy)))
    assert word in commands.release_lab(world.deps, a_caller(), a_lab().id, NOW).findings[0].message


@pytest.mark.parametrize(
    "phase", ["requested", "provisioning", "ready", "updating", "hibernating", "hibernated", "waking", "blocked"]
)
def test_a_lab_can_be_released_whatever_it_is_doing(phase: str) -> None:
    world = make_deps()
    world.store.put(a_lab(phase=phase, run=2, change=Change("private"), reason="old"))
    lab = commands.release_lab(world.deps, a_caller(), a_lab().id, NOW).lab
    assert (lab.phase, lab.run, lab.change, lab.reason) == (Phase.RELEASING, 3, None, None)
    assert world.workflows.names("teardown") == [f"{lab.id}-3-teardown"]


def test_a_lab_rolling_back_goes_on_rolling_back() -> None:
    world = make_deps()
    world.store.put(a_lab(phase="rolling-back", run=2))
    assert commands.release_lab(world.deps, a_caller(), a_lab().id, NOW).lab.phase is Phase.ROLLING_BACK
    assert world.workflows.started == []


def test_a_release_whose_start_fails_is_found_by_the_scheduled_run() -> None:
    world = make_deps()
    world.store.put(a_lab(phase="ready", due_at=None))
    world.fail("start", Throttled("slow down"))
    answer = commands.release_lab(world.deps, a_caller(), a_lab().id, NOW)
    assert "start-delayed" in [finding.code for finding in answer.findings]
    assert list(world.store.labs_due(NOW.replace(minute=5), 10)) == [a_lab().id]


def test_a_public_allow_list_keeps_the_private_side_open_for_nodes() -> None:
    world = make_deps()
    world.store.put(a_lab(phase="ready"))
    asked_for = Change("public", ("192.0.4.0/24",))
    change = commands.change_lab(world.deps, a_caller(), a_lab().id, asked_for, NOW).lab.change
    assert change == replace(asked_for, endpoint_access="public-and-private")


def test_the_world_may_be_let_in_when_asked_for_and_is_warned_about() -> None:
    world = make_deps()
    world.store.put(a_lab(phase="ready"))
    world.store.kept_offers = Offers(open_to_the_world=True)
    answer = commands.change_lab(world.deps, a_caller(), a_lab().id, Change("public", ("0.0.0.0/0",)), NOW)
    assert answer.lab.change == Change("public", ("0.0.0.0/0",))
    assert "open-to-the-world" in [finding.code for finding in answer.findings]


def test_the_answer_to_a_request_says_what_becomes_of_volumes() -> None:
    told = asked(make_deps(), a_spec(volumes=VolumePolicy.KEEP)).findings
    [finding] = [each for each in told if each.code != "no-address"]
    assert finding.code == "volumes"
    assert "kept" in finding.message


def test_of_a_lab_that_is_gone_nothing_is_foretold() -> None:
    world = make_deps()
    gone = world.store.create_lab(a_lab(phase="deleted"), None, "", NOW)
    assert commands.release_lab(world.deps, a_caller(), gone.id, NOW).findings == ()


def test_history_says_which_change_was_asked_for() -> None:
    world = make_deps()
    lab = world.store.create_lab(a_lab(phase="ready"), None, "", NOW)
    change = Change("private", None, {lab.spec.nodegroups[0].name: 3})
    commands.change_lab(world.deps, a_caller(), lab.id, change, NOW)
    messages = [event.message for event in world.store.events(lab.id, 10, None).items]
    assert "A change was asked for: endpoint private; myeks-nodegroup: 3 nodes." in messages


def test_a_change_of_the_allow_list_is_judged_as_a_request_is() -> None:
    world = make_deps()
    lab = world.store.create_lab(a_lab(phase="ready"), None, "", NOW)
    change = Change("public", ("10.0.0.1/24", "10.0.0.0/8", "0.0.0.0/0"))
    with pytest.raises(InvalidRequest) as refusal:
        commands.change_lab(world.deps, a_caller(), lab.id, change, NOW)
    codes = [finding.code for finding in refusal.value.findings]
    assert codes == ["invalid-cidr", "private-address", "cidr-overlaps", "open-to-the-world", "not-offered"]


def test_a_change_of_nodes_counts_what_groups_may_grow_to() -> None:
    """Issue 11, row 11: groups of 1 to 9 and 1 to 1 were 18 nodes under a limit of 10."""
    world = make_deps(Limits(max_nodes=10))
    groups = (a_nodegroup(name="a", min=1, desired=1, max=9), a_nodegroup(name="b", min=1, desired=1, max=1))
    lab = world.store.create_lab(a_lab(phase="ready", spec=a_spec(nodegroups=groups)), None, "", NOW)
    with pytest.raises(InvalidRequest) as refusal:
        commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={"b": 9}), NOW)
    assert "too-many-nodes" in [finding.code for finding in refusal.value.findings]
    assert commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={"a": 9}), NOW).lab.phase is Phase.UPDATING


def test_a_max_that_moves_for_good_is_told() -> None:
    world = make_deps()
    lab = world.store.create_lab(a_lab(phase="ready"), None, "", NOW)
    answer = commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={"myeks-nodegroup": 5}), NOW)
    assert [(f.path, f.code) for f in answer.findings] == [("nodegroups[0].desired", "max-moved")]


def test_a_lab_that_could_grow_too_dear_is_not_stored() -> None:
    world = make_deps()
    world.store.kept_offers = Offers(max_usd_hour=0.3)
    with pytest.raises(OverBudget) as refusal:
        asked(world, a_spec(nodegroups=(a_nodegroup(desired=0, min=0, max=9),)))
    assert "an hour with all its nodes" in str(refusal.value)
    assert world.store.labs == {}


def test_a_change_of_the_list_touches_no_lab_that_exists() -> None:
    world = make_deps()
    world.store.kept_offers = Offers(zones=(ZoneOffer("Z1", "labs.example.com"),))
    world.dns.zones["Z1"] = HostedZone("Z1", "example.com", False)
    lab = asked(world, a_spec(external_dns=ExternalDnsSpec("Z1", ""))).lab
    world.store.kept_offers = Offers()
    assert world.store.load_lab(lab.id) == lab
    assert commands.release_lab(world.deps, a_caller(), lab.id, NOW).lab.phase is Phase.RELEASING


def test_what_happens_next_quotes_the_plan_that_the_lab_is_on() -> None:
    world = make_deps()
    at, night = NOW + timedelta(hours=12), NOW.date()
    entry = Entry(
        night, a_lab().id, at, AtCurfew.END, Trigger.IDLE, "idle since 09:00", "me", "myeks", "ap-northeast-2", NOW
    )
    world.curfew.store.publish(night, [entry], NOW)
    world.store.put(a_lab(phase="ready", planned=Planned(night, entry.id, at)))
    text = get_lab(world.deps, a_caller(), a_lab().id, NOW).next
    assert text[0] == "Tonight's plan: it ends Mon 23 Nov 22:00 (UTC). Idle since 09:00. Extending it keeps it."
    assert get_lab(world.deps, a_caller(), a_lab().id, NOW).exemption == ""
    world.store.put(a_lab(phase="ready", planned=Planned(night, entry.id, at), kept_until=at + timedelta(days=1)))
    kept = get_lab(world.deps, a_caller(), a_lab().id, NOW)
    assert kept.exemption == "It is kept until Tue 24 Nov 22:00 (UTC)."
    assert kept.next[0].endswith("but lives on: it is kept until Tue 24 Nov 22:00 (UTC).")
