"""The findings of a request before anything is created: owners of the same name, and whether creators can be known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AccessDenied, AwsUnavailable
from chalicelib.domain.labs.aws_states import SubnetFacts
from chalicelib.domain.labs.spec import ExistingNetwork
from chalicelib.domain.requests.offers import NetworkOffer, Offers
from chalicelib.services.labs import commands
from tests.fakes import NOW, FakeWorld, a_caller, a_spec, make_deps

DENIED = AccessDenied(
    "cloudtrail:LookupEvents", "AccessDeniedException", "an explicit deny in a service control policy"
)


def warned(world: FakeWorld, **spec: object) -> dict[str, str]:
    asking = commands.ValidatedRequest(a_spec(**spec))
    answer = commands.request_lab(world.deps, a_caller(), asking, None, "digest", NOW)
    return {finding.code: finding.message for finding in answer.findings}


def in_somebodys_network(world: FakeWorld) -> ExistingNetwork:
    for number, zone in enumerate("ab"):
        facts = SubnetFacts(f"subnet-{zone}", "vpc-1", f"ap-northeast-2{zone}", f"10.0.{number}.0/24", 200, True, True)
        world.network.given_subnets[facts.id] = facts
    world.store.kept_offers = Offers(networks=(NetworkOffer("vpc-1"),))
    return ExistingNetwork(None, ("subnet-a", "subnet-b"))


@pytest.mark.parametrize(
    ("kind", "id", "tags"),
    [
        (Kind.LOG_GROUP, "/aws/eks/myeks/cluster", {}),
        (Kind.SECURITY_GROUP, "sg-1", {"kubernetes.io/cluster/myeks": "owned"}),
        (
            Kind.LOAD_BALANCER,
            "arn:aws:elasticloadbalancing:x:1:loadbalancer/app/a/1",
            {"elbv2.k8s.aws/cluster": "myeks"},
        ),
        (Kind.TARGET_GROUP, "arn:aws:elasticloadbalancing:x:1:targetgroup/a/1", {"elbv2.k8s.aws/cluster": "myeks"}),
    ],
)
def test_what_bears_the_name_already_is_told_by_id(kind: Kind, id: str, tags: dict[str, str]) -> None:
    world = make_deps()
    world.account.add(kind, id, tags=tags)
    assert f"{kind} {id}" in warned(world)["name-borne"]


def test_logs_that_will_go_into_somebodys_group_are_told() -> None:
    world = make_deps()
    world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster")
    assert "will go into that log group" in warned(world, log_types=("api",))["name-borne"]


def test_where_nothing_bears_the_name_nothing_is_told() -> None:
    world = make_deps()
    world.account.add(Kind.SECURITY_GROUP, tags={"kubernetes.io/cluster/myeks-2": "owned"})
    assert not {"name-borne", "name-unread", "creators-unknown"} & set(warned(world))


def test_where_that_can_not_be_looked_at_the_lab_is_made_and_says_so() -> None:
    world = make_deps()
    world.fail("inventory.bearing_name", AccessDenied("logs:DescribeLogGroups", "AccessDenied", "no"), times=1)
    assert "logs:DescribeLogGroups" in warned(world)["name-unread"]


def test_where_creators_can_not_be_known_a_request_for_an_existing_network_says_so() -> None:
    world = make_deps()
    world.fail("history.events", DENIED, times=1)
    told = warned(world, network=in_somebodys_network(world))["creators-unknown"]
    assert "explicit deny in a service control policy" in told
    assert "stays at the lab's end" in told


def test_a_network_of_its_own_needs_no_creators() -> None:
    world = make_deps()
    world.fail("history.events", DENIED, times=1)
    assert "creators-unknown" not in warned(world)


def test_a_busy_event_history_is_no_denied_one() -> None:
    world = make_deps()
    world.fail("history.events", AwsUnavailable("Rate exceeded"), times=1)
    assert "creators-unknown" not in warned(world, network=in_somebodys_network(world))


def test_a_dry_run_tells_the_same() -> None:
    world = make_deps()
    world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster")
    planned = commands.plan_lab(world.deps, a_caller(), commands.ValidatedRequest(a_spec()), NOW)
    assert "name-borne" in {finding.code for finding in planned.findings}
    assert replace(planned.lab, version=0).name == "myeks"
