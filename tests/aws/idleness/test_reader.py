"""Evidence read in the sandbox: of labs in use and idle, of clusters that are not theirs, with failing sources."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.idleness.reader import AwsSignals, SignalClients
from chalicelib.domain.idleness.evidence import Evidence, Source
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import LabSpec
from emulator.core.clock import EmulatorClock
from emulator.process import Sandbox
from sandbox.activity import call_eks, set_activity, use_kubectl
from sandbox.scenarios.fleet import Machines, launch, put_clusters
from tests import versions
from tests.fakes.builders import OWNER, a_lab, a_spec

#: Yesterday at two minutes past one: CloudTrail keeps 90 days, so no fixed day works.
NOW = EmulatorClock().now().replace(hour=13, minute=2, second=17, microsecond=0) - timedelta(days=1)
HOURS = timedelta(hours=3)
#: IAM action -> the narrowest resource, and the sources that are unreadable without it.
RIGHTS = {
    "eks:DescribeCluster": ("arn:aws:eks:*:*:cluster/*", {Source.CLUSTER}),
    "eks:ListNodegroups": ("arn:aws:eks:*:*:cluster/*", {Source.CLUSTER}),
    "eks:DescribeNodegroup": ("arn:aws:eks:*:*:nodegroup/*", {Source.CLUSTER}),
    "eks:ListFargateProfiles": ("arn:aws:eks:*:*:cluster/*", {Source.CLUSTER}),
    "logs:FilterLogEvents": ("arn:aws:logs:*:*:log-group:/aws/eks/*", {Source.AUDIT}),
    "ec2:DescribeInstances": ("*", {Source.INSTANCES}),
    "ec2:DescribeLaunchTemplateVersions": ("*", {Source.INSTANCES}),
    "ec2:DescribeVolumes": ("*", {Source.VOLUMES}),
    "tag:GetResources": ("*", {Source.BALANCERS}),
    "elasticloadbalancing:DescribeLoadBalancers": ("*", {Source.BALANCERS}),
    "cloudwatch:GetMetricData": ("*", {Source.CLUSTER_METRICS, Source.NODE_METRICS, Source.BALANCERS}),
    "cloudtrail:LookupEvents": ("*", {Source.OWNER_CALLS}),
}
VIEW_ROLE = "arn:aws:iam::111122223333:role/ekslab-LabViewRole"
#: The cluster's name in audit logs.
LOOKS = "arn:aws:sts::111122223333:assumed-role/ekslab-LabViewRole/ekslab"
_SERVICES = {"tagging": "resourcegroupstaggingapi"}
_numbers = itertools.count()


@dataclass
class Account:
    """The sandbox's account, with methods that fill it, and the reader's number of calls per operation."""

    sandbox: Sandbox
    calls: Counter[str] = field(default_factory=Counter)

    def lab(
        self,
        groups: int = 1,
        tags: Mapping[str, str] | None = None,
        profile: str = "idle",
        omitted: tuple[str, ...] = (),
        machines: str = "t3.medium",
        template: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> Lab:
        """A lab with a cluster of its own, or with the given tags; its EKS resources lack the `omitted` ones."""
        number = next(_numbers)
        made: LabSpec = a_spec(name=f"used-{number}", **spec)
        lab = a_lab(id=f"lab-{number:012x}", spec=made, phase="ready")
        more = {"launchTemplate": dict(template)} if template else {}
        given = [{"name": f"group-{each}", "count": 2, **more} for each in range(groups)]
        own = {"ekslab:lab-id": lab.id} if tags is None else tags
        told = {
            "name": lab.name,
            "version": versions.standard(),
            "tags": own,
            "nodegroups": given,
            "omitted": list(omitted),
        }
        put_clusters(self.sandbox, [told])
        for group in given if machines else ():
            launch(self.sandbox, Machines(lab.name, str(group["name"]), 2, managed=True, kind=machines))
        set_activity(self.sandbox, lab.name, profile, None if profile in ("idle", "silent") else NOW - 2 * HOURS)
        return lab

    def signals(self, **broken: Any) -> AwsSignals:
        """The reader over the sandbox's clients; a keyword replaces one of them."""
        clients = {name: self._counted(_SERVICES.get(name, name)) for name in SignalClients.__dataclass_fields__}
        return AwsSignals(SignalClients(**clients | broken), lambda cluster: "a-token", lambda: VIEW_ROLE)

    def read(self, *labs: Lab, **broken: Any) -> Mapping[str, Evidence]:
        return self.signals(**broken).read(labs, NOW, HOURS)

    def _counted(self, service: str) -> Any:
        client = self.sandbox.client(service)
        client.meta.events.register("before-call", lambda model, **_: self.calls.update([model.name]))
        return client


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Account]:
    yield Account(sandbox)
    sandbox.admin("POST", "faults", [])


def fault(account: Account, operation: str, code: str, cluster: str = "*") -> None:
    error = {"code": code, "status": 400, "message": "not now"}
    account.sandbox.admin("PATCH", "faults", [{"operation": operation, "cluster": cluster, "error": error}])


class Refusing:
    """A client whose every operation is refused."""

    def __init__(self, client: Any, code: str) -> None:
        def refuse(model: Any, **_: Any) -> Any:
            raise client.exceptions.ClientError({"Error": {"Code": code, "Message": "not now"}}, model.name)

        client.meta.events.register("before-call", refuse)
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_a_quiet_lab_is_read_whole(account: Account) -> None:
    lab = account.lab(groups=2)
    seen = account.read(lab)[lab.id]
    assert (seen.lab_id, seen.cluster_status, seen.unread) == (lab.id, "ACTIVE", ())
    assert seen.cluster_tags["ekslab:lab-id"] == lab.id
    assert (seen.read_at, seen.window_from) == (NOW, NOW.replace(hour=10, minute=0, second=0))
    assert [(group.name, group.nodes, group.instance_types) for group in seen.nodegroups] == [
        ("group-0", 2, ("t3.medium",)),
        ("group-1", 2, ("t3.medium",)),
    ]
    assert (seen.instances_outside, seen.fargate_profiles, seen.balancers, seen.volumes) == (0, 0, (), 0)


def a_template(account: Account) -> dict[str, str]:
    """A launch template that names the instance type, as EKS describes it."""
    ec2, data = account.sandbox.client("ec2"), {"InstanceType": "g5.xlarge"}
    made = ec2.create_launch_template(LaunchTemplateName=f"gpus-{next(_numbers)}", LaunchTemplateData=data)
    return {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}


def test_row_3_a_type_that_eks_does_not_tell_is_that_of_the_machines(account: Account) -> None:
    template = a_template(account)
    lab = account.lab(template=template, machines="g5.2xlarge")
    unseen = account.lab(template=template, machines="")
    seen = account.read(lab, unseen)
    [machines], [by_template] = (seen[each.id].nodegroups for each in (lab, unseen))
    assert (machines.instance_types, machines.vcpus, machines.ami_type) == (("g5.2xlarge",), 16, "CUSTOM")
    assert (by_template.instance_types, by_template.vcpus) == (("g5.xlarge",), None)


def test_the_machines_of_a_group_are_counted_with_their_cpus_and_addresses(account: Account) -> None:
    lab, unseen = account.lab(machines="m7g.xlarge"), account.lab(machines="")
    seen = account.read(lab, unseen)
    assert (seen[lab.id].nodegroups[0].vcpus, len(seen[lab.id].measured_hosts)) == (8, 2)
    assert (seen[lab.id].nodegroups[0].machines, seen[lab.id].outside_types) == (("m7g.xlarge",) * 2, ())
    assert seen[lab.id].cluster_version == versions.standard()
    assert (seen[unseen.id].nodegroups[0].vcpus, seen[unseen.id].measured_hosts) == (None, ())


def test_every_series_is_over_whole_periods_oldest_first(account: Account) -> None:
    lab = account.lab()
    seen = account.read(lab)[lab.id]
    group = seen.nodegroups[0]
    for series in (seen.requests, seen.scheduled, seen.pending, group.cpu, group.network_in, group.network_out):
        instants = [at for at, _ in series.points]
        assert (series.period, len(instants)) == (300, 36)
        assert instants == sorted(instants)
        assert (instants[0], instants[-1]) == (seen.window_from, NOW.replace(hour=12, minute=55, second=0))
    for series in (seen.requests_before, seen.scheduled_before, group.cpu_before):
        assert (series.period, len(series.points)) == (3600, 7 * 24)
        assert series.points[-1][0] == NOW.replace(hour=9, minute=0, second=0)


def test_what_people_do_is_in_the_numbers(account: Account) -> None:
    quiet, busy, job = account.lab(), account.lab(profile="busy"), account.lab(profile="job")
    seen = account.read(quiet, busy, job)
    assert sum(seen[quiet.id].scheduled.values) == 0
    assert sum(seen[busy.id].scheduled.values) > 10
    assert 0 < max(seen[busy.id].pending.values) <= 1
    assert max(seen[busy.id].requests.values) > 2 * max(seen[quiet.id].requests.values)
    assert min(seen[job.id].nodegroups[0].cpu.values) > 80 > 20 > max(seen[quiet.id].nodegroups[0].cpu.values)


def test_silence_is_no_points_and_no_failure(account: Account) -> None:
    lab = account.lab(profile="silent")
    seen = account.read(lab)[lab.id]
    assert (seen.requests.points, seen.nodegroups[0].cpu.points, seen.unread) == ((), (), ())


def test_a_cluster_that_is_not_there_is_gone_and_nothing_is_unread(account: Account) -> None:
    lab = a_lab(id="lab-gone", spec=a_spec(name="never-was"))
    seen = account.read(lab)["lab-gone"]
    assert (seen.cluster_status, seen.unread) == (None, ())
    assert account.calls["GetMetricData"] == 0


@pytest.mark.parametrize("tags", [{}, {"ekslab:lab-id": "lab-of-somebody-else"}])
def test_a_cluster_of_the_same_name_is_not_the_labs(account: Account, tags: Mapping[str, str]) -> None:
    lab = account.lab(tags=tags)
    seen = account.read(lab)[lab.id]
    assert (seen.cluster_status, seen.nodegroups, seen.unread) == (None, (), ())


def test_a_hundred_labs_take_as_many_metric_calls_as_their_queries_fill(account: Account) -> None:
    labs = [account.lab(groups=2, omitted=("endpoint",), machines="") for _ in range(100)]
    seen = account.read(*labs)
    window, before = 100 * (3 + 2 * 3), 100 * (2 + 2)
    assert account.calls["GetMetricData"] == math.ceil(window / 500) + math.ceil(before / 500)
    assert account.calls["DescribeInstances"] == 2
    assert (account.calls["DescribeVolumes"], account.calls["GetResources"], account.calls["LookupEvents"]) == (1, 1, 1)
    assert all(len(seen[lab.id].requests.points) == 36 and seen[lab.id].unread == () for lab in labs)


def test_instances_outside_the_groups_are_counted_by_their_cluster(account: Account) -> None:
    lab, other = account.lab(), account.lab()
    launch(account.sandbox, Machines(lab.name, "karpenter", 2))
    ec2 = account.sandbox.client("ec2")
    # Anyone with a right to tag instances may write this: it makes no machine one of a node group's.
    _run(ec2, {f"kubernetes.io/cluster/{lab.name}": "owned", "eks:nodegroup-name": "group-0"})
    auto = _run(ec2, {"eks:eks-cluster-name": other.name})
    seen = account.read(lab, other)
    assert (seen[lab.id].instances_outside, seen[other.id].instances_outside) == (3, 1)
    ec2.terminate_instances(InstanceIds=[auto])
    assert account.read(other)[other.id].instances_outside == 0


def _run(ec2: Any, tags: Mapping[str, str]) -> str:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    specified = [{"ResourceType": "instance", "Tags": listed}]
    made = ec2.run_instances(ImageId="ami-0e5a1b2c3d4e5f607", MinCount=1, MaxCount=1, TagSpecifications=specified)
    return str(made["Instances"][0]["InstanceId"])


def test_only_volumes_that_claims_asked_for_are_counted(account: Account) -> None:
    lab = account.lab()
    owned = {"Key": f"kubernetes.io/cluster/{lab.name}", "Value": "owned"}
    claimed = {"Key": "kubernetes.io/created-for/pvc/name", "Value": "data-0"}
    ec2 = account.sandbox.client("ec2")
    for tags in ([owned, claimed], [owned], [claimed]):
        specified = [{"ResourceType": "volume", "Tags": tags}]
        ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=8, TagSpecifications=specified)
    assert account.read(lab)[lab.id].volumes == 1


def test_balancers_are_those_of_the_cluster_that_are_still_there(account: Account) -> None:
    lab = account.lab(profile="web")
    sandbox, mine = account.sandbox, [{"Key": "elbv2.k8s.aws/cluster", "Value": lab.name}]
    ec2, elbv2, elb = (sandbox.client(name) for name in ("ec2", "elbv2", "elb"))
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet, other = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ac")
    )
    for name, kind in (
        (f"a-{lab.name}", "application"),
        (f"n-{lab.name}", "network"),
        (f"x-{lab.name}", "application"),
    ):
        tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "another"}] if name.startswith("x") else mine
        elbv2.create_load_balancer(Name=name, Type=kind, Subnets=[subnet, other], Tags=tags)
    listeners = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}]
    owned = [{"Key": f"kubernetes.io/cluster/{lab.name}", "Value": "owned"}]
    elb.create_load_balancer(LoadBalancerName=f"c-{lab.name}", Listeners=listeners, Subnets=[subnet], Tags=owned)
    seen = {each.kind: each for each in account.read(lab)[lab.id].balancers}
    assert sorted(seen) == ["application", "classic", "network"]
    assert [len(each.traffic.points) for each in seen.values()] == [36, 36, 36]
    assert max(seen["network"].traffic.values) < 100 < 400 < min(seen["application"].traffic.values)
    elb.delete_load_balancer(LoadBalancerName=f"c-{lab.name}")
    assert {each.kind for each in account.read(lab)[lab.id].balancers} == {"application", "network"}


def test_the_last_person_in_the_audit_log_is_neither_a_machine_nor_this_service(account: Account) -> None:
    lab, without = account.lab(log_types=("audit",)), account.lab()
    account.sandbox.client("logs").create_log_group(logGroupName=f"/aws/eks/{lab.name}/cluster")
    for minutes, username in enumerate(("system:node:a", "eks:node-manager", LOOKS, OWNER, "teacher")):
        use_kubectl(account.sandbox, lab.name, username, NOW - timedelta(minutes=10 + minutes))
    use_kubectl(account.sandbox, lab.name, "long-ago", NOW - timedelta(hours=4))
    seen = account.read(lab, without)
    told = seen[lab.id].audit_human
    assert told is not None
    assert (seen[lab.id].audit_on, told.who) == (True, OWNER)
    assert told.at == (NOW - timedelta(minutes=13)).replace(microsecond=0)
    assert (seen[without.id].audit_on, seen[without.id].audit_human) == (False, None)


def test_an_audit_log_that_is_not_there_is_unread(account: Account) -> None:
    lab = account.lab(log_types=("api", "audit"))
    [told] = account.read(lab)[lab.id].unread
    assert told.startswith(f"{Source.AUDIT}: ")
    assert "ResourceNotFoundException" in told


def test_the_owners_last_call_about_the_cluster_is_seen(account: Account) -> None:
    owner = f"{OWNER}-{next(_numbers)}"
    mine, also_mine = (replace(account.lab(), owner=owner) for _ in range(2))
    call_eks(account.sandbox, mine.name, owner, NOW - timedelta(hours=1))
    call_eks(account.sandbox, mine.name, owner, NOW - timedelta(hours=2))
    call_eks(account.sandbox, also_mine.name, OWNER, NOW - timedelta(hours=1))
    call_eks(account.sandbox, also_mine.name, owner, NOW - timedelta(hours=5))
    seen = account.read(mine, also_mine)
    told = seen[mine.id].owner_call
    assert told is not None
    assert (told.who, told.at) == (owner, (NOW - timedelta(hours=1)).replace(microsecond=0))
    assert seen[also_mine.id].owner_call is None
    assert account.calls["LookupEvents"] == 1


def test_a_cluster_that_cant_be_described_is_unread_and_not_gone(account: Account) -> None:
    fine, broken = account.lab(), account.lab()
    fault(account, "DescribeCluster", "ThrottlingException", broken.name)
    seen = account.read(fine, broken)
    assert seen[broken.id].cluster_status is None
    assert seen[broken.id].unread[0].startswith(f"{Source.CLUSTER}: ")
    assert "ThrottlingException: not now" in seen[broken.id].unread[0]
    assert (seen[fine.id].unread, len(seen[fine.id].requests.points)) == ((), 36)


@pytest.mark.parametrize("operation", ["ListNodegroups", "DescribeNodegroup", "ListFargateProfiles"])
def test_what_of_a_cluster_cant_be_listed_is_unread(account: Account, operation: str) -> None:
    lab = account.lab()
    fault(account, operation, "AccessDeniedException", lab.name)
    seen = account.read(lab)[lab.id]
    assert seen.cluster_status == "ACTIVE"
    assert [told.partition(":")[0] for told in seen.unread] == [Source.CLUSTER]
    assert len(seen.requests.points) == 36


def test_throttled_metrics_are_unread_by_their_sources_and_the_rest_is_read(account: Account) -> None:
    lab = account.lab()
    fault(account, "GetMetricData", "Throttling")
    seen = account.read(lab)[lab.id]
    assert {told.partition(":")[0] for told in seen.unread} == {Source.CLUSTER_METRICS, Source.NODE_METRICS}
    assert (seen.requests.points, seen.cluster_status, seen.volumes) == ((), "ACTIVE", 0)
    assert [group.name for group in seen.nodegroups] == ["group-0"]


@pytest.mark.parametrize(
    ("service", "sources"),
    [
        ("ec2", {Source.INSTANCES, Source.VOLUMES}),
        ("tagging", {Source.BALANCERS}),
        ("cloudtrail", {Source.OWNER_CALLS}),
        ("logs", {Source.AUDIT}),
        ("cloudwatch", {Source.CLUSTER_METRICS, Source.NODE_METRICS}),
        ("eks", {Source.CLUSTER}),
    ],
)
def test_a_source_that_fails_is_unread_for_every_lab_and_costs_the_others_nothing(
    account: Account, service: str, sources: set[str]
) -> None:
    labs = [account.lab(log_types=("audit",)) for _ in range(2)]
    for lab in labs:
        account.sandbox.client("logs").create_log_group(logGroupName=f"/aws/eks/{lab.name}/cluster")
    refusing = Refusing(account.sandbox.client(_SERVICES.get(service, service)), "RequestLimitExceeded")
    seen = account.read(*labs, **{service: refusing})
    for lab in labs:
        assert {told.partition(":")[0] for told in seen[lab.id].unread} == sources
        assert all("RequestLimitExceeded: not now" in told for told in seen[lab.id].unread)


@pytest.mark.parametrize("missing", [None, *RIGHTS])
def test_these_rights_are_enough_and_none_is_too_many(account: Account, missing: str | None) -> None:
    lab, sandbox = account.lab(log_types=("audit",), template=a_template(account), machines=""), account.sandbox
    sandbox.client("logs").create_log_group(logGroupName=f"/aws/eks/{lab.name}/cluster")
    listeners = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}]
    owned = [{"Key": f"kubernetes.io/cluster/{lab.name}", "Value": "owned"}]
    sandbox.client("elb").create_load_balancer(LoadBalancerName=lab.id, Listeners=listeners, Tags=owned)
    allowed = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action, (resource, _) in RIGHTS.items()
        if action != missing
    ]
    user, iam = f"reader-{lab.id}", sandbox.client("iam")
    iam.create_user(UserName=user)
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName=user, PolicyName="reads", PolicyDocument=policy)
    credentials = sandbox.credentials_for(user)
    limited = {
        name: sandbox.client(_SERVICES.get(name, name), credentials=credentials)
        for name in SignalClients.__dataclass_fields__
    }
    unread = account.read(lab, **limited)[lab.id].unread
    sources = {told.partition(":")[0] for told in unread}
    assert sources == (RIGHTS[missing][1] if missing else set())
    assert all("Denied" in told or "Unauthorized" in told for told in unread)


def test_an_api_server_out_of_reach_is_a_sentence_and_not_a_gap(account: Account) -> None:
    lab = account.lab()
    seen = account.read(lab)[lab.id]
    assert (seen.kubernetes, seen.unread) == (None, ())
    assert "did not answer" in seen.kubernetes_problem


def test_fields_that_eks_leaves_out_are_no_failure(account: Account) -> None:
    lab = account.lab(omitted=("endpoint", "certificateAuthority", "platformVersion", "logging"))
    seen = account.read(lab)[lab.id]
    assert (seen.cluster_status, seen.unread, seen.kubernetes_problem) == ("ACTIVE", (), "there is no endpoint")


def test_no_labs_are_no_calls(account: Account) -> None:
    assert account.read() == {}
    assert account.calls == Counter()


def test_tagged_clusters_are_those_with_the_labs_tag(account: Account) -> None:
    ours, other = account.lab(), account.lab(tags={"team": "payments"})
    found = {cluster.name: cluster for cluster in account.signals().tagged_clusters()}
    assert other.name not in found
    assert found[ours.name].tags["ekslab:lab-id"] == ours.id
    assert found[ours.name].region == "ap-northeast-2"
    assert found[ours.name].arn.endswith(f":cluster/{ours.name}")
