"""Real answers of EKS and EC2, especially irregular ones, and the watch's readings of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.eks.watched.clusters import EksFleet
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, ResourceGone, Throttled
from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, InsightStatus, NodeKind, Nodes
from tests.fakes.builders import NOW
from tests.fakes.fleet_builders import HOME, a_key

SEOUL = timezone(timedelta(hours=9))
ARN = "arn:aws:eks:ap-northeast-2:111122223333:cluster/orders"


@dataclass
class Stubbed:
    fleet: EksFleet
    eks: Stubber
    ec2: Stubber

    def nodegroups(self, **versions: str) -> None:
        self.eks.add_response("list_nodegroups", {"nodegroups": list(versions)})
        for name, version in versions.items():
            group = {"nodegroupName": name, "version": version, "scalingConfig": {"desiredSize": 3}}
            self.eks.add_response("describe_nodegroup", {"nodegroup": group})

    def instances(self, *instances: dict[str, Any], images: dict[str, str] | None = None) -> None:
        self.ec2.add_response("describe_instances", {"Reservations": [{"Instances": list(instances)}]})
        if images is not None:
            rows = [{"ImageId": id, "Name": name} for id, name in images.items()]
            self.ec2.add_response("describe_images", {"Images": rows})

    def cluster(self, **described: Any) -> None:
        self.eks.add_response("describe_cluster", {"cluster": {"name": "orders", **described}})

    def without_nodes(self) -> None:
        self.nodegroups()
        self.instances()
        self.fargate()

    def fargate(self, *names: str) -> None:
        self.eks.add_response("list_fargate_profiles", {"fargateProfileNames": list(names)})


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    eks, ec2 = (boto3.client(service, "ap-northeast-2", **keys) for service in ("eks", "ec2"))
    with Stubber(eks) as eks_stub, Stubber(ec2) as ec2_stub:
        yield Stubbed(EksFleet(eks, ec2, HOME, lambda: NOW), eks_stub, ec2_stub)


def an_instance(id: str, image: str = "ami-1", **tags: str) -> dict[str, Any]:
    named = [{"Key": key.replace("__", "/"), "Value": value} for key, value in tags.items()]
    return {"InstanceId": id, "ImageId": image, "Tags": named}


def test_names_come_a_page_at_a_time(stubbed: Stubbed) -> None:
    stubbed.eks.add_response("list_clusters", {"clusters": ["a", "b"], "nextToken": "more"}, {"maxResults": 100})
    stubbed.eks.add_response("list_clusters", {"clusters": ["c"]}, {"maxResults": 100, "nextToken": "more"})
    assert stubbed.fleet.names(None) == (("a", "b"), "more")
    assert stubbed.fleet.names("more") == (("c",), None)


def test_a_cluster_of_which_hardly_anything_is_told_is_read(stubbed: Stubbed) -> None:
    stubbed.cluster(version="1.10")
    stubbed.without_nodes()
    cluster = stubbed.fleet.read("orders")
    assert (cluster.key, cluster.version, cluster.arn, cluster.status) == (a_key(), "1.10", "", "")
    assert (cluster.support_type, cluster.platform_version, cluster.created_at) == (None, None, None)
    assert (cluster.tags, cluster.nodes, cluster.unread, cluster.deletion_protection) == ({}, (), (), False)


def test_a_cluster_of_which_everything_is_told_is_read_whole_and_its_birth_in_utc(stubbed: Stubbed) -> None:
    born = datetime(2026, 3, 1, 8, 30, tzinfo=SEOUL)
    text = {"arn": ARN, "version": "1.34", "status": "ACTIVE", "createdAt": born, "platformVersion": "eks.9"}
    more = {"tags": {"Owner": "ops"}, "upgradePolicy": {"supportType": "STANDARD"}, "deletionProtection": True}
    stubbed.cluster(**text, **more)
    stubbed.without_nodes()
    cluster = stubbed.fleet.read("orders")
    assert (cluster.arn, cluster.status, cluster.platform_version) == (ARN, "ACTIVE", "eks.9")
    assert cluster.created_at == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert cluster.created_at.tzinfo is UTC
    assert (cluster.support_type, dict(cluster.tags), cluster.deletion_protection) == (
        "STANDARD",
        {"Owner": "ops"},
        True,
    )


def test_nodes_of_every_kind_are_named_with_the_version_they_are_told_to_be(stubbed: Stubbed) -> None:
    stubbed.cluster(version="1.34")
    stubbed.nodegroups(web="1.34", old="1.32")
    stubbed.instances(
        an_instance("i-1", **{"eks:nodegroup-name": "web"}),
        an_instance("i-2", "ami-2", **{"aws:autoscaling:groupName": "batch"}),
        an_instance("i-3", "ami-2", **{"aws:autoscaling:groupName": "batch"}),
        an_instance("i-4", "ami-3", karpenter_sh__nodepool="gpu", Name="x"),
        an_instance("i-5", "ami-of-our-own"),
        {**an_instance("i-6", "ami-auto", Name="auto"), "Operator": {"Managed": True}},
        images={"ami-2": "amazon-eks-node-al2023-x86_64-standard-1.31-v20250601", "ami-3": "some image 1.30"},
    )
    stubbed.fargate("jobs")
    assert set(stubbed.fleet.read("orders").nodes) == {
        Nodes("web", NodeKind.MANAGED, "1.34", 3),
        Nodes("old", NodeKind.MANAGED, "1.32", 3),
        Nodes("batch", NodeKind.SELF_MANAGED, "1.31", 2),
        Nodes("x", NodeKind.SELF_MANAGED, None, 1),
        Nodes("i-5", NodeKind.SELF_MANAGED, None, 1),
        Nodes("auto", NodeKind.MANAGED, None, 1),
        Nodes("jobs", NodeKind.FARGATE, None, 0),
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("amazon-eks-node-1.30-v20240928", "1.30"),
        ("amazon-eks-arm64-node-1.29-v20240928", "1.29"),
        ("amazon-eks-node-al2023-x86_64-standard-1.31-v20250601", "1.31"),
        ("bottlerocket-aws-k8s-1.28-x86_64-v1.20.3-5d9ac849", "1.28"),
        ("bottlerocket-aws-k8s-1.33-nvidia-aarch64-v1.40.0-aaaa", "1.33"),
        ("Windows_Server-2022-English-Core-EKS_Optimized-1.30-2024.10.08", "1.30"),
        ("ubuntu-eks/k8s_1.29/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240901", "1.29"),
        ("amazon-eks-node-1.9-v20180101", "1.9"),
        ("al2023-ami-2023.5.20240805.0-kernel-6.1-x86_64", None),
        ("our-golden-image-1.2", None),
        ("", None),
    ],
)
def test_a_version_is_read_off_the_names_of_images_made_for_eks_only(
    stubbed: Stubbed, image: str, version: str | None
) -> None:
    stubbed.cluster(version="1.31")
    stubbed.nodegroups()
    stubbed.instances(an_instance("i-1"), images={"ami-1": image})
    stubbed.fargate()
    assert stubbed.fleet.read("orders").nodes == (Nodes("i-1", NodeKind.SELF_MANAGED, version, 1),)


def test_only_living_instances_that_the_cluster_owns_are_asked_for(stubbed: Stubbed) -> None:
    stubbed.cluster(version="1.34")
    stubbed.nodegroups()
    filters = [
        {"Name": "tag:kubernetes.io/cluster/orders", "Values": ["owned"]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    stubbed.ec2.add_response("describe_instances", {"Reservations": []}, {"Filters": filters})
    stubbed.fargate()
    assert stubbed.fleet.read("orders").nodes == ()
    stubbed.ec2.assert_no_pending_responses()


def read_both(stubbed: Stubbed) -> list[FleetCluster]:
    """Two clusters that were expected; only added ones are requested from EC2."""
    stubbed.fleet.expect(["orders", "carts"])
    found = []
    for name in ("orders", "carts"):
        stubbed.cluster(version="1.34")
        stubbed.nodegroups()
        stubbed.fargate()
        found.append(stubbed.fleet.read(name))
    stubbed.ec2.assert_no_pending_responses()
    return found


def test_instances_of_expected_clusters_are_asked_for_together(stubbed: Stubbed) -> None:
    keys = [f"kubernetes.io/cluster/{name}" for name in ("orders", "carts")]
    filters = [
        {"Name": "tag-key", "Values": keys},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    each = [
        {"InstanceId": f"i-{number}", "Tags": [{"Key": key, "Value": value}]}
        for number, (key, value) in enumerate(((keys[0], "owned"), (keys[1], "owned"), (keys[1], "shared")))
    ]
    stubbed.ec2.add_response("describe_instances", {"Reservations": [{"Instances": each}]}, {"Filters": filters})
    orders, carts = read_both(stubbed)
    assert [nodes.name for nodes in orders.nodes] == ["i-0"]
    assert [nodes.name for nodes in carts.nodes] == ["i-1"]


def test_a_denial_of_the_common_reading_is_asked_for_once_and_told_of_each(stubbed: Stubbed) -> None:
    stubbed.ec2.add_client_error("describe_instances", "UnauthorizedOperation", "You may not.")
    told = [cluster.unread for cluster in read_both(stubbed)]
    assert told == [("ec2:DescribeInstances: UnauthorizedOperation: You may not.",)] * 2


def test_where_the_common_reading_fails_for_now_each_cluster_is_read_by_itself(stubbed: Stubbed) -> None:
    stubbed.ec2.add_client_error("describe_instances", "RequestLimitExceeded", "Slow down.")
    stubbed.instances({"InstanceId": "i-1"}, images=None)
    stubbed.instances()
    orders, carts = read_both(stubbed)
    assert ([nodes.name for nodes in orders.nodes], carts.nodes) == (["i-1"], ())


def test_a_node_group_that_goes_while_it_is_read_is_left_out_and_one_that_tells_nothing_is_not(
    stubbed: Stubbed,
) -> None:
    stubbed.cluster(version="1.34")
    stubbed.eks.add_response("list_nodegroups", {"nodegroups": ["gone", "mute"]})
    stubbed.eks.add_client_error("describe_nodegroup", "ResourceNotFoundException")
    stubbed.eks.add_response("describe_nodegroup", {"nodegroup": {}})
    stubbed.instances()
    stubbed.fargate()
    assert stubbed.fleet.read("orders").nodes == (Nodes("mute", NodeKind.MANAGED, None, 0),)


def test_what_is_denied_beside_the_cluster_is_told_and_hides_nothing_else(stubbed: Stubbed) -> None:
    stubbed.cluster(version="1.34")
    stubbed.nodegroups(web="1.33")
    stubbed.ec2.add_client_error("describe_instances", "UnauthorizedOperation", "You may not.")
    stubbed.fargate("jobs")
    cluster = stubbed.fleet.read("orders")
    assert cluster.unread == ("ec2:DescribeInstances: UnauthorizedOperation: You may not.",)
    assert [nodes.name for nodes in cluster.nodes] == ["web", "jobs"]


def test_what_fails_for_now_fails_the_reading_so_that_what_was_known_stays_known(stubbed: Stubbed) -> None:
    stubbed.cluster(version="1.34")
    stubbed.eks.add_client_error("list_nodegroups", "ServerException", http_status_code=500)
    with pytest.raises(AwsUnavailable):
        stubbed.fleet.read("orders")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ResourceNotFoundException", 404, ResourceGone),
        ("AccessDeniedException", 403, AccessDenied),
        ("InvalidSignatureException", 403, AwsRefused),
        ("UnrecognizedClientException", 403, AwsUnavailable),
        ("ThrottlingException", 429, Throttled),
        ("ServerException", 500, AwsUnavailable),
    ],
)
def test_a_cluster_that_cannot_be_read_says_why(stubbed: Stubbed, code: str, status: int, error: type) -> None:
    stubbed.eks.add_client_error("describe_cluster", code, http_status_code=status)
    with pytest.raises(error, match="eks:DescribeCluster"):
        stubbed.fleet.read("orders")


def an_insight(id: str, status: str = "ERROR", **more: Any) -> dict[str, Any]:
    return {"id": id, "category": "UPGRADE_READINESS", "insightStatus": {"status": status, "reason": "Why."}, **more}


def test_insights_name_what_is_wrong_who_still_calls_and_when_they_last_did(stubbed: Stubbed) -> None:
    last, before = datetime(2026, 11, 20, 3, tzinfo=SEOUL), datetime(2026, 11, 1, tzinfo=UTC)
    used = {
        "usage": "/apis/policy/v1beta1/podsecuritypolicies",
        "clientStats": [
            {"userAgent": "velero", "lastRequestTime": before},
            {"userAgent": "old-operator", "lastRequestTime": last},
            {"userAgent": "velero"},
        ],
    }
    details = [used, {"usage": "/apis/batch/v1beta1/cronjobs", "clientStats": []}]
    resources = [
        {"kubernetesResourceUri": "/apis/apps/v1/namespaces/a/deployments/b", "insightStatus": {"status": "WARNING"}},
        {"arn": f"{ARN}/x", "insightStatus": {"status": "PASSING"}},
        {"arn": ARN},
        {},
    ]
    insight = an_insight("1", name="APIs", kubernetesVersion="1.35", lastRefreshTime=last, resources=resources)
    insight["categorySpecificSummary"] = {"deprecationDetails": details}
    wanted = {"categories": ["UPGRADE_READINESS"], "statuses": ["WARNING", "ERROR", "UNKNOWN"]}
    stubbed.eks.add_response(
        "list_insights", {"insights": [an_insight("1")]}, {"clusterName": "orders", "filter": wanted}
    )
    stubbed.eks.add_response("describe_insight", {"insight": insight})
    (found,) = stubbed.fleet.insights("orders", refresh=False)
    assert (found.status, found.reason, found.kubernetes_version) == (InsightStatus.ERROR, "Why.", "1.35")
    uri = "/apis/apps/v1/namespaces/a/deployments/b"
    assert found.resources == (uri, ARN, "/apis/policy/v1beta1/podsecuritypolicies")
    assert found.clients == ("velero", "old-operator")
    assert found.last_called_at == found.refreshed_at == datetime(2026, 11, 19, 18, tzinfo=UTC)


def test_insights_come_gravest_first_from_all_pages_without_those_gone_meanwhile(stubbed: Stubbed) -> None:
    stubbed.eks.add_response("list_insights", {"insights": [an_insight("a", "WARNING")], "nextToken": "more"})
    second = [
        an_insight("b"),
        an_insight("c", "UNKNOWN"),
        an_insight("gone"),
        an_insight("p", "PASSING"),
        {"id": "bare"},
    ]
    stubbed.eks.add_response("list_insights", {"insights": second})
    for row in (an_insight("a", "WARNING"), an_insight("b"), an_insight("c", "UNKNOWN")):
        stubbed.eks.add_response("describe_insight", {"insight": row})
    stubbed.eks.add_client_error("describe_insight", "ResourceNotFoundException")
    stubbed.eks.add_response("describe_insight", {"insight": {"id": "bare", "description": "Told only so."}})
    found = stubbed.fleet.insights("orders", refresh=False)
    assert [insight.id for insight in found] == ["b", "a", "bare", "c"]
    assert found[2].reason == "Told only so."
    assert {insight.last_called_at for insight in found} == {None}


def test_an_insight_with_hundreds_of_resources_names_some_and_counts_the_rest(stubbed: Stubbed) -> None:
    resources = [{"arn": f"{ARN}/{number}"} for number in range(212)]
    stubbed.eks.add_response("list_insights", {"insights": [an_insight("1")]})
    stubbed.eks.add_response("describe_insight", {"insight": an_insight("1", resources=resources)})
    (found,) = stubbed.fleet.insights("orders", refresh=False)
    assert len(found.resources) == 51
    assert found.resources[-1] == "and 162 more"


def test_insights_are_refreshed_when_asked_and_read_even_where_eks_will_not_look_now(stubbed: Stubbed) -> None:
    stubbed.eks.add_response("start_insights_refresh", {"status": "IN_PROGRESS"}, {"clusterName": "orders"})
    stubbed.eks.add_response("list_insights", {"insights": []})
    assert stubbed.fleet.insights("orders", refresh=True) == ()
    stubbed.eks.add_client_error("start_insights_refresh", "InvalidRequestException")
    stubbed.eks.add_response("list_insights", {"insights": []})
    assert stubbed.fleet.insights("orders", refresh=True) == ()
    stubbed.eks.add_client_error("start_insights_refresh", "ResourceNotFoundException")
    with pytest.raises(ResourceGone):
        stubbed.fleet.insights("orders", refresh=True)
    stubbed.eks.assert_no_pending_responses()


def a_version(version: str, **compatible: bool) -> dict[str, Any]:
    rows = [
        {"clusterVersion": minor.replace("_", "."), "defaultVersion": is_default}
        for minor, is_default in compatible.items()
    ]
    return {"addonVersion": version, "compatibilities": rows}


def test_addons_are_judged_by_eks_s_own_catalogue_of_the_next_minor(stubbed: Stubbed) -> None:
    stubbed.eks.add_response("list_addons", {"addons": ["coredns", "gone", "kube-proxy", "ours"]})
    stubbed.eks.add_response("describe_addon", {"addon": {"addonVersion": "v1"}})
    catalogue = [
        a_version("v3", **{"1_35": False}),
        a_version("v2", **{"1_35": True}),
        a_version("v1", **{"1_34": True}),
    ]
    asked = {"addonName": "coredns", "kubernetesVersion": "1.35"}
    stubbed.eks.add_response("describe_addon_versions", {"addons": [{"addonVersions": catalogue}]}, asked)
    stubbed.eks.add_client_error("describe_addon", "ResourceNotFoundException")
    stubbed.eks.add_response("describe_addon", {"addon": {"addonVersion": "v3"}})
    proxies = [a_version("v4", **{"1_35": False}), a_version("v3", **{"1_35": False})]
    stubbed.eks.add_response("describe_addon_versions", {"addons": [{"addonVersions": proxies[:1]}], "nextToken": "t"})
    stubbed.eks.add_response("describe_addon_versions", {"addons": [{"addonVersions": proxies[1:]}]})
    stubbed.eks.add_response("describe_addon", {"addon": {"addonVersion": "v9"}})
    stubbed.eks.add_client_error("describe_addon_versions", "InvalidParameterException")
    assert stubbed.fleet.addons_at("orders", "1.35") == (
        AddonAtNext("coredns", "v1", runs_on_next=False, compatible_version="v2"),
        AddonAtNext("kube-proxy", "v3", runs_on_next=True, compatible_version="v4"),
        AddonAtNext("ours", "v9", runs_on_next=False, compatible_version=None),
    )


def test_the_catalogue_is_asked_once_however_many_clusters_have_the_addon(stubbed: Stubbed) -> None:
    for answer in ({"addons": []}, None):
        stubbed.eks.add_response("list_addons", {"addons": ["coredns"]})
        stubbed.eks.add_response("describe_addon", {"addon": {"addonVersion": "v1"}})
        if answer is not None:
            stubbed.eks.add_response("describe_addon_versions", answer)
    for name in ("orders", "web"):
        assert stubbed.fleet.addons_at(name, "1.35") == (AddonAtNext("coredns", "v1", False),)


def test_a_support_policy_is_asked_for_and_a_refusal_keeps_eks_s_words(stubbed: Stubbed) -> None:
    request = {"name": "orders", "upgradePolicy": {"supportType": "EXTENDED"}}
    stubbed.eks.add_response("update_cluster_config", {"update": {"id": "u-1"}}, request)
    assert stubbed.fleet.set_support_policy("orders", "EXTENDED") == "u-1"
    stubbed.eks.add_client_error("update_cluster_config", "InvalidRequestException", "Not in extended support.")
    with pytest.raises(AwsRefused) as refusal:
        stubbed.fleet.set_support_policy("orders", "STANDARD")
    assert (refusal.value.code, refusal.value.message) == ("InvalidRequestException", "Not in extended support.")
