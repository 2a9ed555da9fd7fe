"""A cluster's life through the adapter, on the sandbox's EKS: requests made twice, too early or too late."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.eks.addons import addon_configuration
from chalicelib.aws.eks.clusters import EksClusters
from chalicelib.aws.infrastructure.network import Ec2Network
from chalicelib.aws.infrastructure.stacks import CloudFormationStacks
from chalicelib.domain.errors.tree import AccessDenied, AlreadyExists, AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import (
    AccessPolicySpec,
    AccessSpec,
    AddonSpec,
    EndpointAccess,
    EndpointSpec,
    ExternalDnsSpec,
    NodegroupSpec,
    PodIdentitySpec,
    Taint,
)
from chalicelib.domain.stack.template import lab_parameters, lab_template
from emulator.process import Sandbox
from tests import versions
from tests.aws.given import a_lab
from tests.fakes.builders import CLUSTER_ADMIN, NOW

GROUP = NodegroupSpec(
    "myeks-nodegroup", labels={"role": "lab"}, taints=(Taint("only", "lab", "PREFER_NO_SCHEDULE"),), tags={"team": "a"}
)
EDITOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"


@dataclass
class Made:
    """A lab with its stack and its ACTIVE cluster, and the clients that read them."""

    lab: Lab
    outputs: dict[str, str]
    clusters: EksClusters
    sandbox: Sandbox

    @property
    def subnets(self) -> list[str]:
        return self.outputs["PublicSubnetIds"].split(",")

    def create(self, lab: Lab | None = None) -> None:
        groups = [self.outputs["ControlPlaneSecurityGroupId"]]
        self.clusters.create(lab or self.lab, self.outputs["ClusterRoleArn"], self.subnets, groups)

    def create_nodegroup(self, lab: Lab | None = None, group: NodegroupSpec = GROUP) -> None:
        template = (self.outputs["LaunchTemplate0Id"], self.outputs["LaunchTemplate0Version"])
        self.clusters.create_nodegroup(lab or self.lab, group, self.outputs["NodeRoleArn"], self.subnets, template)

    def update_is_over(self, update: str) -> bool:
        return self.clusters.nodegroup_update_state(self.lab.name, GROUP.name, update).status == "Successful"

    def running(self) -> Mapping[str, int]:
        return Ec2Network(self.sandbox.client("ec2")).running_nodes(self.lab.name)

    def until(self, look: Callable[[], bool]) -> None:
        for _ in range(500):
            if look():
                return
            time.sleep(0.02)
        raise AssertionError("it never came")

    def until_gone(self, look: Callable[[], object]) -> None:
        def gone() -> bool:
            try:
                look()
            except ResourceGone:
                return True
            return False

        self.until(gone)


@pytest.fixture(scope="module")
def made(sandbox: Sandbox) -> Made:
    asked = a_lab(
        version=versions.standard(),
        nodegroups=(GROUP,),
        log_types=("api", "audit"),
        external_dns=ExternalDnsSpec("Z0123456789", "lab.example.com"),
        addons=(AddonSpec("aws-ebs-csi-driver"), AddonSpec("vpc-cni")),
        tags={"course": "eks", "team": "all"},
    )
    own = uuid4().hex[:8]
    lab = replace(asked, id=f"lab-{own}", spec=replace(asked.spec, name=f"myeks-{own}"))
    stacks = CloudFormationStacks(sandbox.client("cloudformation"), sandbox.client("ec2"))
    zones = ("ap-northeast-2a", "ap-northeast-2c")
    stacks.create(lab.stack_name, lab_template(lab), lab_parameters(lab, zones), lab.tags, "stack")
    made = Made(lab, {}, EksClusters(sandbox.client("eks"), lambda: NOW), sandbox)
    made.until(lambda: stacks.describe(lab.stack_name).status == "CREATE_COMPLETE")
    made.outputs.update(stacks.describe(lab.stack_name).outputs)
    made.create()
    made.until(lambda: made.clusters.describe(lab.name).status == "ACTIVE")
    for addon, roles in (("eks-pod-identity-agent", {}), ("vpc-cni", {"aws-node": made.outputs["CniRoleArn"]})):
        made.clusters.create_addon(lab, AddonSpec(addon), roles)
    return made


def test_a_cluster_is_as_the_lab_asked(made: Made) -> None:
    state = made.clusters.describe(made.lab.name)
    assert (state.status, state.version, state.support_type) == ("ACTIVE", versions.standard(), "STANDARD")
    assert (state.public_access, state.private_access) == (True, False)
    assert state.allowed_cidrs == made.lab.spec.endpoint.allowed_cidrs
    assert state.vpc_id == made.outputs["VpcId"]
    assert state.cluster_security_group_id
    assert state.endpoint
    assert state.oidc_issuer
    raw = made.sandbox.client("eks").describe_cluster(name=made.lab.name)["cluster"]
    assert raw["accessConfig"]["authenticationMode"] == "API"
    assert raw["resourcesVpcConfig"]["securityGroupIds"] == [made.outputs["ControlPlaneSecurityGroupId"]]
    enabled = [setup["types"] for setup in raw["logging"]["clusterLogging"] if setup["enabled"]]
    assert sorted(enabled[0]) == ["api", "audit"]


def test_nobody_gets_in_by_having_asked(made: Made) -> None:
    creator = made.sandbox.client("sts").get_caller_identity()["Arn"]
    assert creator not in [entry.principal_arn for entry in made.clusters.access_entries(made.lab.name)]


def test_asking_for_the_cluster_again_gives_the_one_that_is_there(made: Made) -> None:
    made.create()
    assert made.clusters.describe(made.lab.name).tags["ekslab:lab-id"] == made.lab.id


def test_another_lab_s_cluster_of_that_name_is_not_taken(made: Made) -> None:
    with pytest.raises(AlreadyExists):
        made.create(replace(made.lab, id="lab-other"))


def test_a_cluster_that_never_was_is_gone(made: Made) -> None:
    with pytest.raises(ResourceGone):
        made.clusters.describe("never")
    with pytest.raises(ResourceGone):
        made.clusters.nodegroups("never")
    with pytest.raises(ResourceGone):
        made.clusters.delete("never")


def test_a_node_group_is_as_the_lab_asked_and_asking_again_changes_nothing(made: Made) -> None:
    made.create_nodegroup()
    made.create_nodegroup()
    made.until(lambda: made.clusters.nodegroup(made.lab.name, GROUP.name).status == "ACTIVE")
    state = made.clusters.nodegroup(made.lab.name, GROUP.name)
    assert (state.desired, state.instance_types, state.issues) == (2, ("t3.medium",), ())
    assert state.asg_names
    raw = made.sandbox.client("eks").describe_nodegroup(clusterName=made.lab.name, nodegroupName=GROUP.name)
    assert raw["nodegroup"]["tags"]["team"] == "a"
    assert raw["nodegroup"]["tags"]["ekslab:lab-id"] == made.lab.id
    assert raw["nodegroup"]["taints"] == [{"key": "only", "value": "lab", "effect": "PREFER_NO_SCHEDULE"}]
    assert made.clusters.nodegroups(made.lab.name) == (GROUP.name,)
    with pytest.raises(StillInUse):
        made.clusters.delete(made.lab.name)


def test_scaling_stretches_the_limits_and_is_asked_once(made: Made) -> None:
    made.create_nodegroup()
    made.until(lambda: made.clusters.nodegroup(made.lab.name, GROUP.name).status == "ACTIVE")
    update = made.clusters.scale_nodegroup(made.lab.name, GROUP.name, 5, made.lab.token("scale-5"))
    assert update is not None
    made.until(lambda: made.clusters.nodegroup_update_state(made.lab.name, GROUP.name, update).status == "Successful")
    raw = made.sandbox.client("eks").describe_nodegroup(clusterName=made.lab.name, nodegroupName=GROUP.name)
    assert raw["nodegroup"]["scalingConfig"] == {"minSize": 1, "maxSize": 5, "desiredSize": 5}
    assert made.clusters.scale_nodegroup(made.lab.name, GROUP.name, 5, made.lab.token("scale-5")) is None


@pytest.fixture
def slow_resize(made: Made) -> Iterator[None]:
    """An hour of AWS for a resize: requests in that time meet an update in progress, however slow this machine is."""
    slow = {"operation": "UpdateNodegroupConfig", "cluster": made.lab.name, "outcome": {"durationSeconds": 3600}}
    made.sandbox.admin("PATCH", "faults", [slow])
    yield
    made.sandbox.admin("POST", "faults", [])


@pytest.mark.usefixtures("slow_resize")
def test_a_node_group_goes_to_exactly_the_size_asked_for_and_back(made: Made) -> None:
    made.create_nodegroup()
    made.until(lambda: made.clusters.nodegroup(made.lab.name, GROUP.name).status == "ACTIVE")
    before = made.clusters.nodegroup(made.lab.name, GROUP.name).size
    for size in (replace(before, min=0, desired=0), before):
        token = made.lab.token(f"size-{size.desired}")
        update = made.clusters.resize_nodegroup(made.lab.name, size, token)
        assert update is not None
        assert made.clusters.nodegroup(made.lab.name, GROUP.name).status == "UPDATING"
        assert made.clusters.resize_nodegroup(made.lab.name, size, token) in (update, None)
        with pytest.raises(StillInUse):
            made.clusters.resize_nodegroup(made.lab.name, replace(size, max=9), made.lab.token("size-other"))
        made.until(partial(made.update_is_over, update))
        assert made.clusters.nodegroup(made.lab.name, GROUP.name).size == size
        assert made.clusters.resize_nodegroup(made.lab.name, size, token) is None
        assert made.running().get(GROUP.name, 0) == size.desired
    with pytest.raises(ResourceGone):
        made.clusters.resize_nodegroup(made.lab.name, replace(before, name="never"), made.lab.token("never"))


def test_external_dns_is_told_the_lab_s_owner_id_and_domain(made: Made) -> None:
    identities = {"external-dns": made.outputs["ExternalDnsRoleArn"]}
    asked = AddonSpec("external-dns", configuration='{"interval": "2m", "txtOwnerId": "default"}')
    made.clusters.create_addon(made.lab, asked, identities)
    made.clusters.create_addon(made.lab, asked, identities)
    raw = made.sandbox.client("eks").describe_addon(clusterName=made.lab.name, addonName="external-dns")["addon"]
    assert f'"txtOwnerId": "{made.lab.txt_owner_id}"' in raw["configurationValues"]
    assert '"domainFilters": ["lab.example.com"]' in raw["configurationValues"]
    assert '"interval": "2m"' in raw["configurationValues"]
    assert made.clusters.addon(made.lab.name, "external-dns").name == "external-dns"
    assert "external-dns" in made.clusters.addons(made.lab.name)
    known = [(one.service_account, one.role_arn) for one in made.clusters.pod_identities(made.lab.name)]
    assert ("external-dns", made.outputs["ExternalDnsRoleArn"]) in known


@pytest.mark.parametrize(
    ("asked", "own"),
    [
        ("{}", []),
        ('{"extraArgs": ["--log-level=debug", "--zone-id-filter=ZOTHER"]}', ["--log-level=debug"]),
        ('{"extraArgs": {"log-level": "debug", "zone-id-filter": "ZOTHER"}}', ["--log-level=debug"]),
    ],
)
def test_external_dns_sees_the_lab_s_zone_only_and_finds_it_where_it_is_the_domain_s_parent(
    asked: str, own: list[str]
) -> None:
    lab = a_lab(external_dns=ExternalDnsSpec("ZLAB", "app.lab.example.com"))
    configured = json.loads(addon_configuration(lab, AddonSpec("external-dns", configuration=asked)) or "")
    assert configured["extraArgs"] == [*own, "--zone-id-filter=ZLAB", "--aws-zone-match-parent"]
    assert configured["domainFilters"] == ["app.lab.example.com"]


@pytest.mark.parametrize("asked", [None, "{}", '{"env": {"WARM_IP_TARGET": "2", "ADDITIONAL_ENI_TAGS": "{}"}}'])
def test_what_the_cni_makes_bears_the_labs_tags_whatever_else_is_asked_of_it(asked: str | None) -> None:
    """Issue 11, row 3."""
    lab = a_lab()
    configured = json.loads(addon_configuration(lab, AddonSpec("vpc-cni", configuration=asked)) or "")
    assert json.loads(configured["env"].pop("ADDITIONAL_ENI_TAGS"))["ekslab:lab-id"] == lab.id
    assert configured == {"env": {"WARM_IP_TARGET": "2"} if asked and "WARM" in asked else {}}


@pytest.mark.parametrize("asked", [None, '{"controller": {"replicaCount": 1, "extraVolumeTags": {"course": "eks"}}}'])
def test_volumes_of_the_ebs_driver_bear_the_labs_tags_beside_those_asked_for(asked: str | None) -> None:
    """Issue 11, row 3."""
    lab = a_lab()
    configured = json.loads(addon_configuration(lab, AddonSpec("aws-ebs-csi-driver", configuration=asked)) or "")
    tags = configured["controller"]["extraVolumeTags"]
    assert tags["ekslab:lab-id"] == lab.id
    assert (tags.get("course"), configured["controller"].get("replicaCount")) == (("eks", 1) if asked else (None, None))


def test_add_ons_that_eks_has_not_are_told_from_those_it_has(made: Made) -> None:
    assert made.clusters.addon_versions("vpc-cni", versions.standard()) == ("v1.21.1-eksbuild.3", "v1.20.5-eksbuild.1")
    assert made.clusters.addon_versions("no-such-addon", versions.standard()) == ()
    with pytest.raises(ResourceGone):
        made.clusters.addon(made.lab.name, "no-such-addon")


def test_an_add_ons_schema_is_that_of_the_version_named_or_of_eks_own_default(made: Made) -> None:
    asked: list[str] = []
    client = made.sandbox.client("eks")
    client.meta.events.register(
        "provide-client-params.eks.DescribeAddonConfiguration", lambda params, **_: asked.append(params["addonVersion"])
    )
    clusters = EksClusters(client, lambda: NOW)
    [version] = [
        each["clusterVersion"] for each in client.describe_cluster_versions(defaultOnly=True)["clusterVersions"]
    ]
    [addon] = client.describe_addon_versions(addonName="vpc-cni", kubernetesVersion=version)["addons"]
    offered = addon["addonVersions"]
    assert '"type": "object"' in clusters.addon_schema("vpc-cni", version, offered[0]["addonVersion"])
    assert clusters.addon_schema("vpc-cni", version, None)
    assert clusters.addon_schema("no-such-addon", version, None) == ""
    assert clusters.addon_schema("no-such-addon", version, "v1") == ""
    [usual] = [row["addonVersion"] for row in offered if row["compatibilities"][0]["defaultVersion"]]
    assert asked[:2] == [offered[0]["addonVersion"], usual]


def test_access_policies_are_those_that_eks_lists(made: Made) -> None:
    policies = made.clusters.access_policies()
    assert CLUSTER_ADMIN in policies
    assert all(":cluster-access-policy/" in arn for arn in policies)


def test_an_entry_that_is_denied_and_not_there_is_gone_and_one_that_is_there_is_denied(made: Made) -> None:
    """A right that requires a tag is denied where no resource can have one."""
    client = made.sandbox.client("eks")
    refusal = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "DeleteAccessEntry"
    )

    def refuse(**_: object) -> None:
        raise refusal

    client.meta.events.register("before-call.eks.DeleteAccessEntry", refuse)
    refused = EksClusters(client, lambda: NOW)
    visitor = f"arn:aws:iam::{made.lab.account}:role/ekslab/denied"
    made.sandbox.client("iam").create_role(RoleName="denied", Path="/ekslab/", AssumeRolePolicyDocument="{}")
    refused.revoke_access(made.lab.name, visitor)
    made.clusters.grant_access(made.lab, AccessSpec(visitor, (AccessPolicySpec(CLUSTER_ADMIN),)))
    with pytest.raises(AccessDenied, match="eks:DeleteAccessEntry"):
        refused.revoke_access(made.lab.name, visitor)
    made.clusters.revoke_access(made.lab.name, visitor)


def test_access_is_granted_completed_and_revoked(made: Made) -> None:
    role = made.outputs["NodeRoleArn"].replace(made.outputs["NodeRoleName"], "visitor")
    made.sandbox.client("iam").create_role(RoleName="visitor", Path="/ekslab/", AssumeRolePolicyDocument="{}")
    first = AccessSpec(role, (AccessPolicySpec(CLUSTER_ADMIN),), groups=("viewers",))
    arn = made.clusters.grant_access(made.lab, first)
    again = made.clusters.grant_access(
        made.lab, replace(first, policies=(*first.policies, AccessPolicySpec(EDITOR, ("default",))))
    )
    assert arn == again
    (entry,) = [entry for entry in made.clusters.access_entries(made.lab.name) if entry.principal_arn == role]
    assert (set(entry.policies), entry.groups) == ({CLUSTER_ADMIN, EDITOR}, ("viewers",))
    made.clusters.revoke_access(made.lab.name, role)
    made.clusters.revoke_access(made.lab.name, role)
    assert role not in [entry.principal_arn for entry in made.clusters.access_entries(made.lab.name)]
    made.clusters.grant_access(replace(made.lab, run=2), first)
    assert role in [entry.principal_arn for entry in made.clusters.access_entries(made.lab.name)]
    made.clusters.revoke_access(made.lab.name, role)
    assert role not in [entry.principal_arn for entry in made.clusters.access_entries(made.lab.name)]


def test_an_access_entry_that_was_there_gets_the_lab_s_tags(made: Made) -> None:
    role = made.outputs["NodeRoleArn"].replace(made.outputs["NodeRoleName"], "by-hand")
    made.sandbox.client("iam").create_role(RoleName="by-hand", Path="/ekslab/", AssumeRolePolicyDocument="{}")
    eks = made.sandbox.client("eks")
    eks.create_access_entry(clusterName=made.lab.name, principalArn=role, tags={"by": "hand"})
    made.clusters.grant_access(made.lab, AccessSpec(role, (AccessPolicySpec(CLUSTER_ADMIN),)))
    entry = eks.describe_access_entry(clusterName=made.lab.name, principalArn=role)["accessEntry"]
    assert entry["tags"] == {"by": "hand", **made.lab.tags}


def test_a_pod_identity_is_associated_once(made: Made) -> None:
    asked = PodIdentitySpec("default", "builder", made.outputs["EbsCsiRoleArn"])
    assert made.clusters.associate_pod_identity(made.lab, asked) == made.clusters.associate_pod_identity(
        made.lab, asked
    )
    with pytest.raises(AwsRefused):
        made.clusters.associate_pod_identity(made.lab, replace(asked, role_arn=made.outputs["ExternalDnsRoleArn"]))


def test_the_endpoint_is_closed_and_closing_it_again_asks_nothing(made: Made) -> None:
    private = EndpointSpec(EndpointAccess.PRIVATE, ("203.0.113.7/32",))
    update = made.clusters.update_endpoint(made.lab.name, private, made.lab.token("private"))
    assert update is not None
    made.until(lambda: made.clusters.update_state(made.lab.name, update).status == "Successful")
    state = made.clusters.describe(made.lab.name)
    assert (state.public_access, state.private_access) == (False, True)
    assert made.clusters.update_endpoint(made.lab.name, private, made.lab.token("private")) is None


def test_at_the_end_protection_is_lifted_and_everything_goes(made: Made) -> None:
    made.create_nodegroup()
    eks = made.sandbox.client("eks")
    made.until(lambda: made.clusters.describe(made.lab.name).status == "ACTIVE")
    eks.update_cluster_config(name=made.lab.name, deletionProtection=True)
    made.until(lambda: made.clusters.describe(made.lab.name).status == "ACTIVE")
    made.until(lambda: made.clusters.nodegroup(made.lab.name, GROUP.name).status == "ACTIVE")
    made.clusters.delete_nodegroup(made.lab.name, GROUP.name)
    made.until_gone(lambda: made.clusters.nodegroup(made.lab.name, GROUP.name))
    assert made.clusters.fargate_profiles(made.lab.name) == ()
    with pytest.raises(AwsRefused):
        made.clusters.delete(made.lab.name)
    made.clusters.allow_deletion(made.lab.name, made.lab.token("unprotect"))
    made.until(lambda: made.clusters.describe(made.lab.name).status == "ACTIVE")
    made.clusters.allow_deletion(made.lab.name, made.lab.token("unprotect"))
    made.clusters.delete(made.lab.name)
    made.until_gone(lambda: made.clusters.describe(made.lab.name))
    made.clusters.revoke_access(made.lab.name, made.lab.owner)
