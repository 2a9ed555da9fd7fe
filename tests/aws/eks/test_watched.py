"""The fleet as the watch reads it in the sandbox: accounts by their roles, ended versions, faults, insights.

The fake and the adapter get the same requests where both support them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws.clients.assumed_roles import AssumedClients
from chalicelib.aws.eks.versions import LIVE
from chalicelib.aws.eks.watched.clusters import EksFleet
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, ResourceGone, Throttled
from chalicelib.domain.support.fleet import FleetCluster, InsightStatus, NodeKind, Nodes
from chalicelib.ports.support import Fleet
from emulator.process import Sandbox
from sandbox.scenarios.fleet import EXTERNAL_ID, join, put_clusters, root_of
from tests import versions
from tests.fakes import Account, FakeFleets
from tests.fakes.builders import NOW
from tests.fakes.fleet_builders import HOME, REGION, a_fleet_cluster

OTHER_ACCOUNT, CHANGING_ACCOUNT = "444455556666", "333344445555"
BORN = "2025-11-03T09:00:00+09:00"
_numbers = itertools.count()


@dataclass
class Given:
    """A fleet, with methods that add clusters and break them."""

    fleet: Fleet
    put: Callable[..., None]
    fail: Callable[[str, str, int], None]
    standard: str
    extended: str


def _faked() -> Iterator[Given]:
    fleets = FakeFleets(Account(), page_size=100)

    def put(name: str, version: str, **text: Any) -> None:
        policy = text.get("supportType", "EXTENDED")
        groups = text.get("nodegroups", ())
        nodes = tuple(Nodes(group["name"], NodeKind.MANAGED, group["version"], group["count"]) for group in groups)
        tags = text.get("tags", {})
        born = datetime.fromisoformat(BORN).astimezone(UTC)
        cluster = a_fleet_cluster(name, version, support_type=policy, nodes=nodes, tags=tags, created_at=born)
        fleets.add(replace(cluster, platform_version="eks.7"))

    def fail(name: str, code: str, status: int) -> None:
        errors: Mapping[int, Exception] = {
            403: AccessDenied("eks:DescribeCluster", code, "no"),
            429: Throttled(f"eks:DescribeCluster: {code}: no"),
            500: AwsUnavailable(f"eks:DescribeCluster: {code}: no"),
        }
        fleets.break_cluster(ClusterKey(HOME.account, HOME.region, name), errors[status])

    yield Given(fleets(HOME), put, fail, "1.36", "1.33")


def _real(sandbox: Sandbox) -> Iterator[Given]:
    def put(name: str, version: str, **text: Any) -> None:
        put_clusters(sandbox, [{"name": name, "version": version, "createdAt": BORN, **text}])

    def fail(name: str, code: str, status: int) -> None:
        error = {"code": code, "status": status, "message": "no"}
        sandbox.admin("PATCH", "faults", [{"operation": "DescribeCluster", "cluster": name, "error": error}])

    fleet = EksFleet(sandbox.client("eks"), sandbox.client("ec2"), HOME, lambda: NOW)
    yield Given(fleet, put, fail, versions.standard(), versions.extended())
    sandbox.admin("POST", "faults", [])


@pytest.fixture(params=["fake", "sandbox"])
def given(request: pytest.FixtureRequest) -> Iterator[Given]:
    yield from _faked() if request.param == "fake" else _real(request.getfixturevalue("sandbox"))


def a_name(stem: str = "orders") -> str:
    return f"{stem}-{next(_numbers)}"


def all_names(fleet: Fleet) -> set[str]:
    names, cursor = fleet.names(None)
    found = set(names)
    while cursor:
        names, cursor = fleet.names(cursor)
        found |= set(names)
    return found


def test_many_clusters_cost_three_calls_each_beside_their_node_groups(sandbox: Sandbox) -> None:
    names = [a_name("fleet") for _ in range(8)]
    group = [{"name": "web", "version": "1.34", "count": 1}]
    put_clusters(sandbox, [{"name": name, "version": "1.34", "nodegroups": group} for name in names])
    calls, eks, ec2 = list[str](), sandbox.client("eks"), sandbox.client("ec2")
    for client in (eks, ec2):
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    fleet = EksFleet(eks, ec2, HOME, lambda: NOW)
    fleet.expect(names)
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(fleet.read, names))
    assert [len(cluster.nodes) for cluster in read] == [1] * len(names)
    assert calls.count("DescribeInstances") == 1
    assert len(calls) <= 3 * len(names) + len(names) + 1


def test_a_cluster_is_read_as_it_is_whatever_its_version(given: Given) -> None:
    name = a_name()
    groups = [{"name": "web", "version": "1.27", "count": 2}]
    given.put(name, "1.28", supportType="STANDARD", tags={"Owner": "ops"}, nodegroups=groups)
    cluster = given.fleet.read(name)
    assert cluster == FleetCluster(
        key=ClusterKey(HOME.account, HOME.region, name),
        arn=f"arn:aws:eks:{REGION}:{HOME.account}:cluster/{name}",
        version="1.28",
        status=cluster.status,
        support_type="STANDARD",
        platform_version="eks.7",
        created_at=datetime(2025, 11, 3, tzinfo=UTC),
        tags={"Owner": "ops"},
        nodes=(Nodes("web", NodeKind.MANAGED, "1.27", 2),),
    )


def test_all_clusters_are_named_page_by_page(given: Given) -> None:
    stem = a_name("many")
    wanted = {f"{stem}-{number:03d}" for number in range(120)}
    for name in wanted:
        given.put(name, given.standard)
    assert len(given.fleet.names(None)[0]) == 100
    assert wanted <= all_names(given.fleet)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDeniedException", 403, AccessDenied),
        ("ThrottlingException", 429, Throttled),
        ("ServerException", 500, AwsUnavailable),
    ],
)
def test_a_cluster_that_cannot_be_read_is_listed_and_says_why(
    given: Given, code: str, status: int, error: type[Exception]
) -> None:
    name, other = a_name(), a_name()
    given.put(name, given.standard)
    given.put(other, given.standard)
    given.fail(name, code, status)
    assert {name, other} <= all_names(given.fleet)
    with pytest.raises(error, match=code):
        given.fleet.read(name)
    assert given.fleet.read(other).version == given.standard


def test_a_cluster_that_is_not_there_is_gone(given: Given) -> None:
    for ask in (
        given.fleet.read,
        lambda name: given.fleet.insights(name, refresh=True),
        lambda name: given.fleet.addons_at(name, "1.36"),
        lambda name: given.fleet.set_support_policy(name, "STANDARD"),
    ):
        with pytest.raises(ResourceGone):
            ask("none")


def test_a_support_policy_changes_where_eks_allows_it_and_is_refused_in_its_words_where_not(given: Given) -> None:
    young, old = a_name(), a_name()
    given.put(young, given.standard, supportType="EXTENDED")
    given.put(old, given.extended, supportType="EXTENDED")
    assert given.fleet.set_support_policy(young, "STANDARD")
    with pytest.raises(AwsRefused) as refusal:
        given.fleet.set_support_policy(old, "STANDARD")
    assert refusal.value.operation == "eks:UpdateClusterConfig"
    assert "extended support" in refusal.value.message


def test_the_calendar_is_eks_s_own_in_utc(sandbox: Sandbox) -> None:
    calendar = EksFleet(sandbox.client("eks"), sandbox.client("ec2"), HOME, lambda: NOW).calendar()
    assert calendar.source == LIVE
    entry = calendar.get("1.31")
    assert entry is not None
    assert entry.end_of_extended == datetime(2026, 11, 26, tzinfo=UTC)


def test_insights_of_a_cluster_are_read_with_who_still_calls(sandbox: Sandbox) -> None:
    name = a_name()
    put_clusters(sandbox, [{"name": name, "version": "1.34"}])
    calls = {
        "name": "Deprecated APIs removed in Kubernetes v1.35",
        "kubernetesVersion": "1.35",
        "insightStatus": {"status": "WARNING", "reason": "Deprecated API usage detected within last 30 days."},
        "resources": [{"kubernetesResourceUri": "/apis/x", "insightStatus": {"status": "WARNING"}}],
        "categorySpecificSummary": {
            "deprecationDetails": [
                {
                    "usage": "/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas",
                    "clientStats": [{"userAgent": "old-operator", "lastRequestTime": "2026-11-22T23:00:00+09:00"}],
                }
            ]
        },
    }
    passing = {"insightStatus": {"status": "PASSING"}}
    elsewhere = {"category": "ROLLBACK_READINESS", "insightStatus": {"status": "ERROR"}}
    sandbox.admin("POST", "insights", {"cluster": name, "insights": [passing, elsewhere, calls]})
    fleet = EksFleet(sandbox.client("eks"), sandbox.client("ec2"), HOME, lambda: NOW)
    (insight,) = fleet.insights(name, refresh=True)
    assert (insight.status, insight.kubernetes_version) == (InsightStatus.WARNING, "1.35")
    assert insight.resources == ("/apis/x", "/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas")
    assert (insight.clients, insight.last_called_at) == (("old-operator",), datetime(2026, 11, 22, 14, tzinfo=UTC))
    assert sandbox.client("eks").describe_insights_refresh(clusterName=name)["status"] in ("IN_PROGRESS", "COMPLETED")


def test_an_old_addon_does_not_run_on_the_next_minor_and_a_newer_one_does(sandbox: Sandbox) -> None:
    name, version = a_name(), versions.extended()
    following = versions.after(version)
    offered = sandbox.client("eks").describe_addon_versions(addonName="kube-proxy", kubernetesVersion=following)
    newest = offered["addons"][0]["addonVersions"][0]["addonVersion"]
    addons = {"kube-proxy": f"v{version}.1-eksbuild.2", "vpc-cni": "v0.0.1", "a-vendors": "v1"}
    put_clusters(sandbox, [{"name": name, "version": version, "addons": addons}])
    found = EksFleet(sandbox.client("eks"), sandbox.client("ec2"), HOME, lambda: NOW).addons_at(name, following)
    assert [(addon.name, addon.runs_on_next) for addon in found] == [(each, False) for each in sorted(addons)]
    assert [addon.compatible_version is None for addon in found] == [True, False, False]
    put_clusters(sandbox, [{"name": name, "version": version, "addons": {"kube-proxy": newest}}])
    (ready,) = EksFleet(sandbox.client("eks"), sandbox.client("ec2"), HOME, lambda: NOW).addons_at(name, following)
    assert ready.runs_on_next


def test_machines_that_a_cluster_owns_outside_node_groups_are_nodes_of_its(sandbox: Sandbox) -> None:
    name, ec2 = a_name(), sandbox.client("ec2")
    put_clusters(sandbox, [{"name": name, "version": "1.31"}])
    owned, shared = ({f"kubernetes.io/cluster/{name}": how, "Name": how} for how in ("owned", "shared"))
    for tags in (owned, shared, {"Name": "stranger"}):
        labels = [{"Key": key, "Value": value} for key, value in tags.items()]
        specification = [{"ResourceType": "instance", "Tags": labels}]
        ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=2, MaxCount=2, TagSpecifications=specification)
    cluster = EksFleet(sandbox.client("eks"), ec2, HOME, lambda: NOW).read(name)
    assert cluster.nodes == (Nodes("owned", NodeKind.SELF_MANAGED, None, 2),)


def _assumed(sandbox: Sandbox) -> AssumedClients:
    """As `wiring` creates them, by a service with a role of the home account."""
    iam, principal = (
        sandbox.client("iam"),
        {"Service": "lambda.amazonaws.com", "AWS": f"arn:aws:iam::{HOME.account}:root"},
    )
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    name = a_name("ekslab-service")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/ekslab-member*-read"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    own = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]

    def new_client(service: str, region: str, credentials: Mapping[str, Any]) -> Any:
        return boto3.client(
            service,
            endpoint_url=sandbox.url,
            region_name=region,
            config=Config(retries={"total_max_attempts": 1}),
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    return AssumedClients(new_client("sts", REGION, own), new_client, lambda: datetime.now(UTC), EXTERNAL_ID)


def _fleet(assumed: AssumedClients, place: Place) -> EksFleet:
    role = place.role_arn or ""
    eks, ec2 = (assumed.of(lambda: role, service, place.region) for service in ("eks", "ec2"))
    return EksFleet(eks, ec2, place, lambda: NOW)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_another_account_is_read_with_the_role_that_the_page_asks_for(sandbox: Sandbox) -> None:
    role = join(sandbox, OTHER_ACCOUNT)
    place = Place(OTHER_ACCOUNT, "us-east-1", role)
    version = versions.extended()
    names = sorted(a_name("theirs") for _ in range(30))
    there = {
        "account": OTHER_ACCOUNT,
        "region": "us-east-1",
        "nodegroups": [{"name": "a"}],
        "addons": {"coredns": "v1"},
    }
    put_clusters(sandbox, [{"name": name, "version": version, **there} for name in names])
    fleet = _fleet(_assumed(sandbox), place)
    found, cursor = fleet.names(None)
    assert (list(found), cursor) == (names, None)
    with ThreadPoolExecutor(10) as pool:
        clusters = list(pool.map(fleet.read, found))
    assert {(cluster.key.account, cluster.version, cluster.unread) for cluster in clusters} == {
        (OTHER_ACCOUNT, version, ())
    }
    assert fleet.calendar().source == LIVE
    assert fleet.insights(names[0], refresh=True) == ()
    assert [addon.name for addon in fleet.addons_at(names[0], versions.after(version))] == ["coredns"]
    with pytest.raises(AccessDenied, match="eks:UpdateClusterConfig"):
        fleet.set_support_policy(names[0], "STANDARD")
    assert _fleet(_assumed(sandbox), replace(place, region="eu-west-1")).names(None) == ((), None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_account_may_let_the_support_type_of_its_clusters_be_set_and_nothing_else_of_them(sandbox: Sandbox) -> None:
    role, name = join(sandbox, CHANGING_ACCOUNT, change_support=True), a_name("theirs")
    put_clusters(
        sandbox, [{"name": name, "version": versions.standard(), "account": CHANGING_ACCOUNT, "region": "us-east-1"}]
    )
    assumed = _assumed(sandbox)
    assert _fleet(assumed, Place(CHANGING_ACCOUNT, "us-east-1", role)).set_support_policy(name, "STANDARD")
    opened = {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
    with pytest.raises(ClientError, match="not authorized"):
        assumed.of(lambda: role, "eks", "us-east-1").update_cluster_config(name=name, resourcesVpcConfig=opened)


def test_an_account_that_lets_nobody_in_says_so_at_the_first_look(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam", credentials=root_of("777788889999"))
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="ekslab-member-read", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    fleet = _fleet(_assumed(sandbox), Place("777788889999", REGION, role))
    with pytest.raises(AccessDenied) as refusal:
        fleet.names(None)
    assert refusal.value.operation == "sts:AssumeRole"
