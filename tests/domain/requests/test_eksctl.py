"""eksctl's ClusterConfig: every field of its schema is known, none is dropped silently, and honoured ones take effect.

`tests/data/eksctl/fields.json` holds the names of the fields of v1alpha5, section by section (see SOURCE.md beside it).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors.findings import Finding, Level
from chalicelib.domain.labs.spec import (
    AddonSpec,
    CapacityType,
    EndpointAccess,
    NatMode,
    Placement,
    PodIdentitySpec,
    SupportPolicy,
    Taint,
)
from chalicelib.domain.requests.draft import Draft, SshDraft, is_under
from chalicelib.domain.requests.eksctl.config import read_cluster_config
from tests.examples import examples
from tests.paths import PROJECT

FILES = PROJECT / "tests" / "data" / "eksctl"
FIELDS: dict[str, list[str]] = json.loads((FILES / "fields.json").read_text())
DOCUMENTS = {path.name: yaml.safe_load(path.read_text()) for path in FILES.glob("*.yaml")}
HEAD = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig"}

#: section of the schema -> its place in a document.
PLACES: dict[str, tuple[str | int, ...]] = {
    "ClusterConfig": (),
    "ClusterMeta": ("metadata",),
    "KubernetesNetworkConfig": ("kubernetesNetworkConfig",),
    "ClusterIAM": ("iam",),
    "PodIdentityAssociation": ("iam", "podIdentityAssociations", 0),
    "AccessConfig": ("accessConfig",),
    "AccessEntry": ("accessConfig", "accessEntries", 0),
    "AccessPolicy": ("accessConfig", "accessEntries", 0, "accessPolicies", 0),
    "AccessScope": ("accessConfig", "accessEntries", 0, "accessPolicies", 0, "accessScope"),
    "ClusterVPC": ("vpc",),
    "ClusterSubnets": ("vpc", "subnets"),
    "AZSubnetSpec": ("vpc", "subnets", "public", "eu-north-1a"),
    "ClusterEndpoints": ("vpc", "clusterEndpoints"),
    "ClusterNAT": ("vpc", "nat"),
    "Addon": ("addons", 0),
    "WellKnownPolicies": ("addons", 0, "wellKnownPolicies"),
    "AddonsConfig": ("addonsConfig",),
    "ClusterCloudWatch": ("cloudWatch",),
    "ClusterCloudWatchLogging": ("cloudWatch", "clusterLogging"),
    "UpgradePolicy": ("upgradePolicy",),
    "ManagedNodeGroup": ("managedNodeGroups", 0),
    "NodeGroup": ("nodeGroups", 0),
    "NodeGroupSSH": ("managedNodeGroups", 0, "ssh"),
    "NodeGroupSGs": ("managedNodeGroups", 0, "securityGroups"),
    "NodeGroupIAM": ("managedNodeGroups", 0, "iam"),
    "NodeGroupIAMAddonPolicies": ("managedNodeGroups", 0, "iam", "withAddonPolicies"),
    "NodeGroupInstancesDistribution": ("nodeGroups", 0, "instancesDistribution"),
    "NodeGroupTaint": ("managedNodeGroups", 0, "taints", 0),
}


def document_with(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A document with only `place` set."""
    for step in reversed(place):
        value = [value] if isinstance(step, int) else {step: value}
    assert isinstance(value, dict)
    return {**HEAD, **value}


def path_of(place: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def translated(**fields: Any) -> tuple[Draft, dict[str, str]]:
    """The draft and path -> code."""
    draft, findings = read_cluster_config({**HEAD, "metadata": {"name": "a"}, **fields})
    return draft, {f.path: f.code for f in findings}


def test_every_section_of_the_schema_has_its_place_in_these_tests() -> None:
    assert set(PLACES) == set(FIELDS)


@pytest.mark.parametrize(("section", "field"), [(s, f) for s, fields in FIELDS.items() for f in fields])
def test_every_field_of_the_schema_is_known_and_a_senseless_value_is_never_dropped(section: str, field: str) -> None:
    place = (*PLACES[section], field)
    _, findings = read_cluster_config(document_with(place, 3.5))
    wording = [f for f in findings if f.path == path_of(place)]
    assert wording, f"{path_of(place)}: nothing is said about it"
    assert all(f.code != "unknown-field" for f in wording)


@pytest.mark.parametrize("section", PLACES)
def test_an_unknown_field_is_refused_in_every_section(section: str) -> None:
    place = (*PLACES[section], "zzz")
    _, findings = read_cluster_config(document_with(place, 3.5))
    assert [f.code for f in findings if f.path == path_of(place)] == ["unknown-field"]


def test_an_unknown_field_comes_with_the_nearest_known_one() -> None:
    _, findings = read_cluster_config(document_with(("managedNodeGroups", 0, "instancetypes"), ["t3.medium"]))
    wording = next(f for f in findings if f.path == "managedNodeGroups[0].instancetypes")
    assert wording.message == "Unknown field. Did you mean instanceTypes?"


def mappings(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all mappings in a document, except those with free keys."""
    if isinstance(value, dict):
        if not place or place[-1] not in ("labels", "tags", "public", "private"):
            yield place
        for key, item in value.items():
            yield from mappings(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from mappings(item, (*place, index))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_misspelt_field_anywhere_in_a_real_file_is_told_there_or_with_what_holds_it(name: str) -> None:
    for place in mappings(DOCUMENTS[name]):
        changed = copy.deepcopy(DOCUMENTS[name])
        holder = changed
        for step in place:
            holder = holder[step]
        holder["zzz"] = True
        path = path_of((*place, "zzz"))
        _, findings = read_cluster_config(changed)
        assert any(is_under(path, f.path) for f in findings if f.path), path


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document but the whole."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from places(item, (*place, key))


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_any_value_anywhere_in_a_real_file_is_read_without_a_crash(data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENTS[data.draw(st.sampled_from(sorted(DOCUMENTS)))])
    place = data.draw(st.sampled_from(list(places(document))))
    holder = document
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = data.draw(_VALUES)
    _, findings = read_cluster_config(document)
    assert all(isinstance(f, Finding) and f.message for f in findings)


def test_fields_that_ask_for_nothing_are_no_findings() -> None:
    _, wording = translated(
        vpc={"publicAccessCIDRs": ["52.94.76.0/24"]},
        fargateProfiles=[],
        privateCluster={"enabled": False},
        autoModeConfig={"enabled": False},
        kubernetesNetworkConfig={"ipFamily": "IPv4"},
        karpenter=None,
        managedNodeGroups=[
            {
                "name": "a",
                "instanceType": "t3.medium",
                "amiFamily": "AmazonLinux2023",
                "volumeType": "gp3",
                "disableIMDSv1": True,
                "ebsOptimized": False,
                "ssh": {"enableSsm": True},
                "iam": {"withAddonPolicies": {"ebs": False}},
            }
        ],
    )
    assert wording == {}


def test_a_node_group_arrives_whole() -> None:
    draft, wording = translated(
        vpc={"publicAccessCIDRs": ["52.94.76.0/24"]},
        managedNodeGroups=[
            {
                "name": "a",
                "instanceTypes": ["t3.medium", "t3a.medium"],
                "spot": True,
                "minSize": 1,
                "maxSize": 4,
                "volumeSize": 50,
                "privateNetworking": True,
                "labels": {"team": "red"},
                "tags": {"cost": "lab"},
                "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}],
            }
        ],
    )
    assert wording == {}
    assert draft.nodegroups is not None
    (group,) = draft.nodegroups
    assert (group.name, group.instance_types, group.capacity_type) == (
        "a",
        ("t3.medium", "t3a.medium"),
        CapacityType.SPOT,
    )
    assert (group.min, group.desired, group.max, group.volume_gib) == (1, 1, 4, 50)
    assert group.placement is Placement.PRIVATE
    assert (group.labels, group.tags) == ({"team": "red"}, {"cost": "lab"})
    assert group.taints == (Taint("k", "v", "NO_SCHEDULE"),)


def test_taints_of_unmanaged_groups_may_be_written_as_a_mapping() -> None:
    draft, wording = translated(nodeGroups=[{"name": "a", "taints": {"k": "v:NoExecute", "bad": "NoWhere"}}])
    assert draft.nodegroups is not None
    assert draft.nodegroups[0].taints == (Taint("k", "v", "NO_EXECUTE"),)
    assert wording["nodeGroups[0].taints.bad"] == "wrong-value"


def test_minimum_and_maximum_follow_the_desired_capacity_as_with_eksctl() -> None:
    draft, _ = translated(managedNodeGroups=[{"name": "a", "desiredCapacity": 4}, {"name": "b"}])
    assert draft.nodegroups is not None
    assert [(g.min, g.desired, g.max) for g in draft.nodegroups] == [(4, 4, 4), (2, 2, 2)]


def test_all_on_demand_is_what_a_distribution_without_a_share_means() -> None:
    def capacity(share: dict[str, int]) -> CapacityType | None:
        groups = [{"name": "a", "instancesDistribution": {"instanceTypes": ["t3.small"], **share}}]
        draft, _ = translated(nodeGroups=groups)
        assert draft.nodegroups is not None
        return draft.nodegroups[0].capacity_type

    assert capacity({}) is CapacityType.ON_DEMAND
    assert capacity({"onDemandPercentageAboveBaseCapacity": 0}) is CapacityType.SPOT


def test_ssh_is_one_key_for_the_whole_lab_open_to_the_caller_only() -> None:
    key = {"publicKeyName": "k", "allow": True}
    draft, wording = translated(managedNodeGroups=[{"name": "a", "ssh": key}, {"name": "b", "ssh": key}])
    assert draft.ssh == SshDraft("k", None)
    assert wording["managedNodeGroups[0].ssh.allow"] == "narrowed"
    assert draft.caller_path("ssh.keyName") == "managedNodeGroups[0].ssh.publicKeyName"


@pytest.mark.parametrize(
    ("endpoints", "access"),
    [
        ({"publicAccess": True, "privateAccess": True}, EndpointAccess.PUBLIC_AND_PRIVATE),
        ({"privateAccess": True}, EndpointAccess.PUBLIC_AND_PRIVATE),
        ({"publicAccess": True}, EndpointAccess.PUBLIC),
        ({"publicAccess": False, "privateAccess": True}, EndpointAccess.PRIVATE),
        ({"publicAccess": False}, None),
    ],
)
def test_endpoint_flags_become_an_access_mode(endpoints: dict[str, bool], access: EndpointAccess | None) -> None:
    draft, wording = translated(vpc={"clusterEndpoints": endpoints})
    assert draft.endpoint_access is access
    assert ("vpc.clusterEndpoints" in wording) is (access is None)


@pytest.mark.parametrize(
    ("gateway", "nat"), [("Disable", NatMode.NONE), ("Single", NatMode.SINGLE), ("HighlyAvailable", NatMode.SINGLE)]
)
def test_nat_gateways_are_none_or_one(gateway: str, nat: NatMode) -> None:
    draft, wording = translated(vpc={"nat": {"gateway": gateway}, "cidr": "10.1.0.0/16"})
    assert (draft.network.nat, draft.network.cidr) == (nat, "10.1.0.0/16")
    assert ("vpc.nat.gateway" in wording) is (gateway == "HighlyAvailable")


def test_a_third_zone_is_left_out_with_a_warning() -> None:
    draft, wording = translated(availabilityZones=["us-west-2a", "us-west-2b", "us-west-2c"])
    assert draft.network.zones == ("us-west-2a", "us-west-2b")
    assert wording["availabilityZones"] == "not-honoured"


def test_existing_subnets_are_known_by_their_ids_and_findings_name_their_zone() -> None:
    subnets = {"public": {"a": {"id": "subnet-1"}, "b": {"id": "subnet-2"}, "c": {"cidr": "10.0.0.0/24"}}}
    draft, wording = translated(vpc={"subnets": subnets})
    assert draft.network.public_subnet_ids == ("subnet-1", "subnet-2")
    assert draft.caller_path("network.publicSubnetIds[1]") == "vpc.subnets.public.b.id"
    assert wording["vpc.subnets.public.c.id"] == "missing"


def test_addons_arrive_and_get_no_rights_from_the_file() -> None:
    addons = [
        {"name": "aws-ebs-csi-driver", "wellKnownPolicies": {"ebsCSIController": True}, "configurationValues": "{}"},
        {
            "name": "coredns",
            "version": "v1.11.1-eksbuild.4",
            "attachPolicyARNs": ["arn:aws:iam::aws:policy/AdministratorAccess"],
        },
        {"name": "x", "wellKnownPolicies": {"autoScaler": True}},
    ]
    draft, wording = translated(addons=addons, addonsConfig={"disableDefaultAddons": True})
    assert draft.addons[:2] == (AddonSpec("aws-ebs-csi-driver", None, "{}"), AddonSpec("coredns", "v1.11.1-eksbuild.4"))
    assert draft.default_addons is False
    assert wording["addons[1].attachPolicyARNs[0]"] == "not-supported"
    assert wording["addons[2].wellKnownPolicies.autoScaler"] == "not-supported"


def test_the_requester_is_administrator_beside_the_entries_unless_the_file_says_no() -> None:
    entries = [{"principalARN": "arn:aws:iam::111122223333:role/r", "kubernetesGroups": ["g"]}]
    assert translated()[0].requester_too is True
    assert translated(accessConfig={"accessEntries": entries})[0].requester_too is True
    closed = {"bootstrapClusterCreatorAdminPermissions": False, "accessEntries": entries}
    draft, _ = translated(accessConfig=closed)
    assert draft.requester_too is False
    assert draft.access is not None
    assert draft.access[0].groups == ("g",)


def test_associations_with_a_role_arrive_and_later_findings_still_name_their_own_place() -> None:
    broken = {"namespace": "default"}
    whole = {"namespace": "dev", "serviceAccountName": "s", "roleARN": "arn:aws:iam::111122223333:role/ekslab/r"}
    draft, _ = translated(iam={"podIdentityAssociations": [broken, whole]})
    assert draft.pod_identities == (PodIdentitySpec("dev", "s", "arn:aws:iam::111122223333:role/ekslab/r"),)
    assert draft.caller_path("podIdentities[0].roleArn") == "iam.podIdentityAssociations[1].roleARN"


@pytest.mark.parametrize("everything", ["*", "all"])
def test_all_log_types_can_be_asked_for_at_once(everything: str) -> None:
    draft, _ = translated(cloudWatch={"clusterLogging": {"enableTypes": [everything]}})
    assert draft.log_types == ("api", "audit", "authenticator", "controllerManager", "scheduler")


def test_the_support_policy_is_honoured_and_nothing_else_passes_for_it() -> None:
    assert translated(upgradePolicy={"supportType": "EXTENDED"})[0].support_policy is SupportPolicy.EXTENDED
    assert translated(upgradePolicy={"supportType": "extended"})[1]["upgradePolicy.supportType"] == "wrong-value"


@pytest.mark.parametrize("head", [{}, {"apiVersion": "eksctl.io/v1alpha4"}, {"kind": "Cluster"}])
def test_other_kinds_and_versions_of_documents_are_refused(head: dict[str, str]) -> None:
    document = {**HEAD, **head, "metadata": {"name": "a"}} if head else {"metadata": {"name": "a"}}
    _, findings = read_cluster_config(document)
    assert {f.path for f in findings if f.severity is Level.ERROR} <= {"apiVersion", "kind"}
    assert any(f.severity is Level.ERROR for f in findings)
