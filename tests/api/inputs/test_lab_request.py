"""From bytes to a spec or to all findings at once: the course's request, common errors, and real eksctl files."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.inputs.lab_request import MOST_FINDINGS, complete_request, read_draft
from chalicelib.api.inputs.lab_schema import LabBody
from chalicelib.api.inputs.schema_errors import path_of
from chalicelib.api.views.labs import spec_view
from chalicelib.domain.errors.findings import Finding, Level, error
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.spec import (
    CapacityType,
    EndpointAccess,
    ExistingNetwork,
    LabSpec,
    Limits,
    NatMode,
    NewNetwork,
    Placement,
    SupportPolicy,
    VolumePolicy,
)
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.support.calendar import Calendar, VersionSupport
from tests.examples import examples
from tests.paths import PROJECT

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALLER = Caller("arn:aws:iam::111122223333:user/learner", "111122223333", "15.230.39.7")
FILES = PROJECT / "tests" / "data" / "eksctl"


def the_calendar() -> Calendar:
    table = json.loads((PROJECT / "chalicelib" / "aws" / "eks" / "eks-versions.json").read_text())

    def day(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    versions = tuple(
        VersionSupport(v["version"], day(v["release"]), day(v["endOfStandardSupport"]), day(v["endOfExtendedSupport"]))
        for v in table["versions"]
    )
    return Calendar(versions, "bundled table", day(table["as_of"]))


CALENDAR = the_calendar()


def read(body: object, **changes: Any) -> tuple[LabSpec, tuple[Finding, ...]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = read_draft(raw, None)
    circumstances = {"calendar": CALENDAR, "caller": CALLER, "limits": Limits(), "now": NOW, **changes}
    return complete_request(asked.findings, ValidationContext(asked.draft, **circumstances))


def findings_of(body: object, **changes: Any) -> dict[str, str]:
    """Path -> code of every error."""
    with pytest.raises(InvalidRequest) as raised:
        read(body, **changes)
    return {f.path: f.code for f in raised.value.findings if f.severity is Level.ERROR}


def message_at(path: str, body: object, **changes: Any) -> str:
    with pytest.raises(InvalidRequest) as raised:
        read(body, **changes)
    return next(f.message for f in raised.value.findings if f.path == path)


def test_a_name_is_enough_and_everything_else_has_a_default() -> None:
    spec, warnings = read({"name": "myeks"})
    assert warnings == ()
    assert (spec.name, spec.region, spec.version, spec.lease_hours) == ("myeks", "ap-northeast-2", "1.37", 8)
    assert spec.network == NewNetwork()
    assert spec.endpoint.access is EndpointAccess.PUBLIC_AND_PRIVATE
    assert spec.endpoint.allowed_cidrs == ("15.230.39.7/32",)
    (group,) = spec.nodegroups
    assert (group.name, group.instance_types, group.desired, group.min, group.max) == (
        "myeks-nodegroup",
        ("t3.medium",),
        2,
        1,
        3,
    )
    assert spec.ssh is spec.external_dns is spec.work_host is None
    assert [addon.name for addon in spec.addons] == [
        "vpc-cni",
        "kube-proxy",
        "coredns",
        "metrics-server",
        "eks-pod-identity-agent",
    ]
    (entry,) = spec.access
    assert entry.principal_arn == CALLER.arn
    assert entry.policies[0].policy_arn.endswith("/AmazonEKSClusterAdminPolicy")
    assert (spec.volumes, spec.support_policy) == (VolumePolicy.DELETE, SupportPolicy.STANDARD)


def test_the_course_request_is_honoured() -> None:
    spec, warnings = read(
        {
            "name": "myeks",
            "region": "ap-northeast-2",
            "nodegroups": [{"name": "myeks-nodegroup", "instanceTypes": ["t3.medium"], "volumeGib": 30}],
            "ssh": {"keyName": "course"},
            "externalDns": {"domain": "example.com"},
            "workHost": True,
            "leaseHours": 4,
        }
    )
    assert warnings == ()
    assert spec.ssh is not None
    assert spec.ssh.cidrs == ("15.230.39.7/32",)
    assert spec.external_dns is not None
    assert spec.addons[-1].name == "external-dns"
    assert spec.work_host is not None
    assert spec.lease_hours == 4


def test_1_28_is_told_when_it_ended_and_what_there_is() -> None:
    message = message_at("version", {"name": "myeks", "version": "1.28"})
    assert "ended on 2025-11-26" in message
    assert "Available: 1.37, 1.36, 1.35, 1.34 (in extended support: 1.33, 1.32, 1.31)" in message


def test_one_wrong_field_hides_nothing_wrong_elsewhere() -> None:
    body = {
        "name": "-bad",
        "version": "1.28",
        "lease": 4,
        "nodegroups": [{"desired": "two", "min": 3, "max": 2, "count": 1}, {"volumeGib": 5}],
        "network": {"cidr": "10.100.0.0/24", "zones": ["ap-northeast-2a", "ap-northeast-2a"]},
        "endpoint": {"access": "publik", "allowedCidrs": ["15.230.39.7"]},
        "tags": {"aws:x": "y", "n": 1},
        "workHost": "yes",
    }
    assert findings_of(body) == {
        "name": "invalid-name",
        "version": "version-ended",
        "lease": "unknown-field",
        "nodegroups[0].desired": "wrong-type",
        "nodegroups[0].min": "sizes-out-of-order",
        "nodegroups[0].count": "unknown-field",
        "nodegroups[1].volumeGib": "volume-out-of-range",
        "nodegroups[1].name": "duplicate",
        "network.cidr": "cidr-overlaps",
        "network.zones": "two-zones",
        "endpoint.access": "wrong-value",
        "endpoint.allowedCidrs[0]": "invalid-cidr",
        "tags.aws:x": "reserved",
        "tags.n": "wrong-type",
        "workHost": "wrong-type",
    }


def test_wrong_types_are_told_in_words_and_unknown_fields_with_the_nearest_name() -> None:
    body = {"name": "a", "nodegroups": [{"min": "two"}], "leaseHour": 3, "volumes": "burn", "log_types": []}
    assert message_at("nodegroups[0].min", body) == 'Expected a whole number, got the text "two".'
    assert message_at("leaseHour", body) == "Unknown field. Did you mean leaseHours?"
    assert message_at("log_types", body) == "Unknown field. Did you mean logTypes?"
    assert message_at("volumes", body).endswith('got the text "burn".')
    assert message_at("workHost", {"workHost": "yes"}) == (
        'Expected true, false or a mapping of fields, got the text "yes".'
    )
    assert message_at("addons[0]", {"addons": [1]}) == "Expected a name or a mapping of fields, got the number 1."
    assert message_at("nodegroups[0].count", {"nodegroups": [{"count": 1}]}) == "Unknown field. Did you mean desired?"


@pytest.mark.parametrize("body", [b"name: a\nversion: 1.30\n", b"metadata: {name: a, version: 1.30}\n"])
def test_an_unquoted_version_is_told_about_its_lost_zero(body: bytes) -> None:
    path = "version" if body.startswith(b"name") else "metadata.version"
    assert "Put the version in quotes" in message_at(path, body)


def test_the_version_must_be_supported_until_the_lease_ends() -> None:
    late = NOW + timedelta(days=8)
    assert read({"name": "a", "version": "1.34", "leaseHours": 8}, now=late)[0].version == "1.34"
    body = {"name": "a", "version": "1.34", "leaseHours": 24}
    assert findings_of(body, now=late) == {"version": "support-too-short"}
    spec, warnings = read({**body, "supportPolicy": "EXTENDED"}, now=late)
    assert spec.support_policy is SupportPolicy.EXTENDED
    assert [w.code for w in warnings] == ["extended-support"]


def test_a_version_in_extended_support_is_to_be_had_only_for_extended() -> None:
    assert findings_of({"name": "a", "version": "1.33"}) == {"version": "version-extended"}
    assert read({"name": "a", "version": "1.33", "supportPolicy": "EXTENDED"})[0].version == "1.33"
    ending = {"name": "a", "version": "1.31", "supportPolicy": "EXTENDED", "leaseHours": 72}
    assert findings_of(ending) == {"version": "support-too-short"}


@pytest.mark.parametrize(("version", "code"), [("1.18", "version-unknown"), ("1.99", "version-unknown")])
def test_a_version_not_on_the_calendar_is_refused(version: str, code: str) -> None:
    assert findings_of({"name": "a", "version": version}) == {"version": code}


@pytest.mark.parametrize("version", ["v1.36", "1.36.2", "1", "one", "١.٣٦"])
def test_a_version_that_is_no_minor_version_is_refused(version: str) -> None:
    assert findings_of({"name": "a", "version": version})["version"] == "invalid-version"


@pytest.mark.parametrize(
    "place",
    [
        ("account",),
        ("region",),
        ("version",),
        ("network", "cidr"),
        ("network", "vpcId"),
        ("ssh", "keyName"),
        ("externalDns", "domain"),
        ("schedule", "curfew"),
        ("schedule", "timeZone"),
    ],
)
def test_an_empty_text_is_refused_and_not_taken_for_one_left_out(place: tuple[str, ...]) -> None:
    body: dict[str, Any] = {"name": "a"}
    body[place[0]] = "" if len(place) == 1 else {place[1]: ""}
    assert findings_of(body)[".".join(place)] == "empty"


def test_in_an_eksctl_file_an_empty_version_is_one_left_out() -> None:
    head = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig"}
    spec, _ = read({**head, "metadata": {"name": "a", "region": "ap-northeast-2", "version": ""}})
    assert spec.version == read({"name": "a"})[0].version


@pytest.mark.parametrize("ip", [None, "2001:db8::1"])
def test_without_an_ipv4_address_of_the_caller_the_allow_list_must_be_said(ip: str | None) -> None:
    caller = Caller(CALLER.arn, CALLER.account, ip)
    assert findings_of({"name": "a"}, caller=caller) == {"endpoint.allowedCidrs": "no-address"}
    assert read({"name": "a", "endpoint": {"access": "private"}}, caller=caller)[0].endpoint.allowed_cidrs == ()
    assert read({"name": "a", "endpoint": {"allowedCidrs": ["52.94.76.0/24"]}}, caller=caller)


def test_a_public_endpoint_is_narrowed_only_together_with_a_private_one() -> None:
    spec, warnings = read({"name": "a", "endpoint": {"access": "public"}})
    assert spec.endpoint.access is EndpointAccess.PUBLIC_AND_PRIVATE
    assert [w.code for w in warnings] == ["private-added"]
    spec, warnings = read({"name": "a", "endpoint": {"access": "public", "allowedCidrs": ["0.0.0.0/0"]}})
    assert spec.endpoint.access is EndpointAccess.PUBLIC
    assert [w.code for w in warnings] == ["open-to-the-world"]


def test_a_role_session_gets_access_as_its_role_and_root_must_name_somebody() -> None:
    session = Caller("arn:aws:sts::111122223333:assumed-role/Student/learner", "111122223333", "15.230.39.7")
    assert read({"name": "a"}, caller=session)[0].access[0].principal_arn == "arn:aws:iam::111122223333:role/Student"
    root = Caller("arn:aws:iam::111122223333:root", "111122223333", "15.230.39.7")
    assert findings_of({"name": "a"}, caller=root) == {"access": "no-principal"}


def test_the_region_to_ask_the_calendar_of_is_never_a_wild_text() -> None:
    limits = Limits(regions=("ap-northeast-2", "us-east-1"))
    assert read_draft(b'{"region": "us-east-1"}', None).region(limits) == "us-east-1"
    for wild in ("eu-west-1", "evil.example.com/", "", "US-EAST-1"):
        assert read_draft(json.dumps({"region": wild}).encode(), None).region(limits) == "ap-northeast-2"
    assert read_draft(b"metadata: {region: eu-west-1}", None).region(Limits()) == "eu-west-1"


#: file -> the paths of its errors; None: accepted.
OUTCOMES: dict[str, dict[str, str] | None] = {
    "01-simple-cluster.yaml": None,
    "03-two-nodegroups.yaml": {"nodeGroups": "too-many-nodes"},
    "04-existing-vpc.yaml": None,
    "07-ssh-keys.yaml": {
        "nodeGroups[0].ssh.publicKeyPath": "not-supported",
        "nodeGroups[1].ssh.allow": "missing-key",
        "nodeGroups[3].ssh.publicKey": "one-key",
    },
    "08-spot-instances.yaml": None,
    "15-managed-nodes.yaml": {
        "managedNodeGroups[0].securityGroups.attachIDs": "not-supported",
        "managedNodeGroups[0].ssh.publicKeyPath": "not-supported",
        "managedNodeGroups[0].ssh.sourceSecurityGroupIds": "not-supported",
        "managedNodeGroups[0].iam.withAddonPolicies.certManager": "not-supported",
        "managedNodeGroups[2].amiFamily": "not-supported",
        "managedNodeGroups[2].ami": "not-supported",
        "managedNodeGroups[2].preBootstrapCommands": "not-supported",
        "managedNodeGroups[2].overrideBootstrapCommand": "not-supported",
        "managedNodeGroups[3].launchTemplate": "not-supported",
    },
    "16-fargate-profile.yaml": {"fargateProfiles": "not-supported"},
    "25-addons.yaml": {"metadata.version": "version-unknown"},
    "29-cluster-with-karpenter.yaml": {"metadata.version": "version-ended", "karpenter": "not-supported"},
    "39-pod-identity-association.yaml": {
        "iam.podIdentityAssociations[0].roleARN": "role-not-allowed",
        "iam.podIdentityAssociations[1].roleARN": "missing",
        "iam.podIdentityAssociations[1].roleName": "not-supported",
        "iam.podIdentityAssociations[1].permissionPolicyARNs": "not-supported",
        "iam.podIdentityAssociations[1].wellKnownPolicies": "not-supported",
        "iam.podIdentityAssociations[1].permissionsBoundaryARN": "not-supported",
        "iam.podIdentityAssociations[2].roleARN": "missing",
        "iam.podIdentityAssociations[2].permissionPolicy": "not-supported",
        "iam.podIdentityAssociations[3].roleARN": "role-not-allowed",
        "iam.podIdentityAssociations[3].targetRoleARN": "not-supported",
        "iam.podIdentityAssociations[3].disableSessionTags": "not-supported",
        "iam.podIdentityAssociations[4].roleARN": "missing",
        "iam.podIdentityAssociations[4].roleName": "not-supported",
        "iam.podIdentityAssociations[4].targetRoleARN": "not-supported",
        "iam.podIdentityAssociations[4].permissionPolicyARNs": "not-supported",
    },
    "40-access-entries.yaml": {"metadata.version": "version-ended"},
    "42-auto-mode.yaml": {"autoModeConfig": "not-supported"},
    "45-upgrade-policy-example.yaml": None,
}
#: accepted file -> the paths of its warnings.
WARNINGS = {
    "01-simple-cluster.yaml": {"nodeGroups", "vpc.publicAccessCIDRs"},
    "04-existing-vpc.yaml": {
        "nodeGroups",
        "vpc.publicAccessCIDRs",
        "vpc.cidr",
        "vpc.subnets.private.eu-north-1a.cidr",
        "vpc.subnets.private.eu-north-1b.cidr",
        "vpc.subnets.private.eu-north-1c.cidr",
    },
    "08-spot-instances.yaml": {
        "nodeGroups",
        "vpc.publicAccessCIDRs",
        "nodeGroups[0].instancesDistribution.maxPrice",
        "nodeGroups[0].instancesDistribution.onDemandPercentageAboveBaseCapacity",
        "nodeGroups[0].instancesDistribution.spotInstancePools",
    },
    "45-upgrade-policy-example.yaml": {
        "vpc.publicAccessCIDRs",
        "managedNodeGroups[0].instanceType",
        "upgradePolicy.supportType",
    },
}


def test_the_table_of_outcomes_names_every_file_there_is() -> None:
    assert set(OUTCOMES) == {path.name for path in FILES.glob("*.yaml")}
    assert set(WARNINGS) == {name for name, errors in OUTCOMES.items() if errors is None}


@pytest.mark.parametrize("name", OUTCOMES)
def test_real_eksctl_files_are_accepted_or_refused_by_the_paths_of_their_fields(name: str) -> None:
    expected, raw = OUTCOMES[name], (FILES / name).read_bytes()
    if expected is None:
        _, warnings = read(raw)
        assert {w.path for w in warnings} == WARNINGS[name]
    else:
        assert findings_of(raw) == expected


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_file_says_the_same_in_json_as_in_yaml(name: str) -> None:
    raw = (FILES / name).read_bytes()
    document = yaml.safe_load(raw)
    assert outcome_of(raw) == outcome_of(document)


def test_what_the_accepted_files_ask_for_is_what_the_lab_becomes() -> None:
    simple = read((FILES / "01-simple-cluster.yaml").read_bytes())[0]
    assert (simple.name, simple.region) == ("cluster-1", "eu-north-1")
    assert simple.log_types == ("audit", "authenticator", "controllerManager")
    assert (simple.nodegroups[0].desired, simple.nodegroups[0].max) == (1, 1)
    guest = read((FILES / "04-existing-vpc.yaml").read_bytes())[0]
    assert isinstance(guest.network, ExistingNetwork)
    assert len(guest.network.private_subnet_ids) == 3
    assert guest.nodegroups[0].placement is Placement.PRIVATE
    spot = read((FILES / "08-spot-instances.yaml").read_bytes())[0].nodegroups[0]
    assert (spot.capacity_type, spot.instance_types) == (CapacityType.SPOT, ("t3.small", "t3.medium"))
    assert (spot.min, spot.desired, spot.max) == (2, 2, 5)
    assert read((FILES / "45-upgrade-policy-example.yaml").read_bytes())[0].support_policy is SupportPolicy.EXTENDED


def test_two_groups_within_a_larger_limit_are_made_managed_with_one_nat_for_the_private_one() -> None:
    spec, warnings = read((FILES / "03-two-nodegroups.yaml").read_bytes(), limits=Limits(max_nodes=20))
    assert [(g.name, g.placement) for g in spec.nodegroups] == [
        ("ng1-public", Placement.PUBLIC),
        ("ng2-private", Placement.PRIVATE),
    ]
    assert isinstance(spec.network, NewNetwork)
    assert spec.network.nat is NatMode.SINGLE
    assert {"made-managed", "nat-added"} <= {w.code for w in warnings}


def test_access_entries_are_honoured_on_a_version_that_is_supported() -> None:
    raw = (FILES / "40-access-entries.yaml").read_bytes().replace(b"'1.29'", b"'1.36'")
    spec, _ = read(raw)
    assert [entry.type for entry in spec.access] == ["STANDARD", "STANDARD", "STANDARD", "EC2_LINUX"]
    assert spec.access[0].groups == ("group1", "group2")
    assert spec.access[1].policies[0].namespaces == ("default", "my-namespace", "dev-*")


_SCHEMA = LabBody.model_json_schema()
_OURS = {name for model in (_SCHEMA, *_SCHEMA["$defs"].values()) for name in model["properties"]}
_EKSCTLS = {name for names in json.loads((FILES / "fields.json").read_text()).values() for name in names}
_FIELDS = st.sampled_from(sorted(_OURS)) | st.sampled_from(sorted(_EKSCTLS)) | st.just("x.y")
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=examples(300), deadline=None)
@given(st.dictionaries(_FIELDS, _ANYTHING, max_size=6))
def test_whatever_is_sent_becomes_a_spec_or_a_refusal_that_names_fields(body: dict[str, object]) -> None:
    outcome = outcome_of(body)
    if isinstance(outcome, LabSpec):
        assert outcome.name == body.get("name") or "metadata" in body
    else:
        assert any(finding.severity is Level.ERROR for finding in outcome)


EVERYTHING: dict[str, Any] = {
    "name": "a",
    "region": "ap-northeast-2",
    "version": "1.36",
    "network": {"cidr": "10.0.0.0/16", "zones": ["ap-northeast-2a", "ap-northeast-2c"], "nat": "single"},
    "endpoint": {"access": "public-and-private", "allowedCidrs": ["52.94.76.0/24"]},
    "nodegroups": [
        {
            "name": "n",
            "instanceTypes": ["t3.medium"],
            "desired": 1,
            "min": 1,
            "max": 2,
            "volumeGib": 30,
            "capacityType": "SPOT",
            "placement": "private",
            "labels": {"team": "red"},
            "taints": [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
            "tags": {"a": "b"},
        }
    ],
    "ssh": {"keyName": "k", "cidrs": ["52.94.76.0/24"]},
    "externalDns": {"hostedZoneId": "Z0123456789", "domain": "example.com"},
    "workHost": {"instanceType": "t3.small"},
    "addons": ["aws-ebs-csi-driver", {"name": "coredns", "configuration": {"replicaCount": 1}, "tags": {"a": "b"}}],
    "access": [
        {
            "principalArn": CALLER.arn,
            "policies": [
                {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "namespaces": ["dev"]}
            ],
            "groups": ["team"],
        }
    ],
    "podIdentities": [
        {"namespace": "dev", "serviceAccount": "s", "roleArn": "arn:aws:iam::111122223333:role/ekslab/reader"}
    ],
    "logTypes": ["audit"],
    "tags": {"course": "eks"},
    "leaseHours": 3,
    "volumes": "keep",
    "supportPolicy": "STANDARD",
}


def places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a body but the whole."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from places(item, (*place, key))


def changed(body: dict[str, Any], place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    copied = copy.deepcopy(body)
    holder: Any = copied
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return copied


def test_a_body_that_says_everything_is_honoured() -> None:
    spec, warnings = read(EVERYTHING)
    assert warnings == ()
    assert {addon.name for addon in spec.addons} >= {"aws-ebs-csi-driver", "external-dns"}
    assert next(a for a in spec.addons if a.name == "coredns").configuration == '{"replicaCount": 1}'
    assert (spec.volumes, spec.tags, spec.log_types) == (VolumePolicy.KEEP, {"course": "eks"}, ("audit",))


@pytest.mark.parametrize("body", [EVERYTHING, {"name": "a"}, (FILES / "04-existing-vpc.yaml").read_bytes()])
def test_what_a_lab_answers_with_can_be_asked_for_again(body: object) -> None:
    spec, _ = read(body)
    assert read(spec_view(spec))[0] == spec


@pytest.mark.parametrize("place", list(places(EVERYTHING)), ids=path_of)
def test_a_senseless_value_anywhere_is_told_there(place: tuple[str | int, ...]) -> None:
    if "configuration" in place[:-1]:
        return
    wording = findings_of(changed(EVERYTHING, place, 3.5))
    assert list(wording) == [path_of(place)]


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(list(places(EVERYTHING))), _ANYTHING)
def test_any_value_anywhere_is_a_spec_or_a_refusal(place: tuple[str | int, ...], value: object) -> None:
    outcome = outcome_of(changed(EVERYTHING, place, value))
    assert isinstance(outcome, LabSpec) or any(finding.severity is Level.ERROR for finding in outcome)


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_any_value_anywhere_in_a_real_file_is_a_spec_or_a_refusal(data: st.DataObject) -> None:
    document = yaml.safe_load((FILES / data.draw(st.sampled_from(sorted(OUTCOMES)))).read_bytes())
    place = data.draw(st.sampled_from(list(places(document))))
    outcome = outcome_of(changed(document, place, data.draw(_ANYTHING)))
    assert isinstance(outcome, LabSpec) or any(finding.severity is Level.ERROR for finding in outcome)


def test_thousands_of_faults_are_told_as_the_first_few_hundred() -> None:
    with pytest.raises(InvalidRequest) as raised:
        read({"name": "a", **{f"x{i}": 1 for i in range(1000)}})
    assert len(raised.value.findings) == MOST_FINDINGS + 1
    assert raised.value.findings[-1].message == "There are 700 more findings."


def outcome_of(body: object) -> LabSpec | tuple[Finding, ...]:
    try:
        return read(body)[0]
    except InvalidRequest as refused:
        return refused.findings


def test_a_finding_about_the_one_instance_type_of_an_eksctl_group_names_its_field() -> None:
    body = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "x", "region": "ap-northeast-2"},
        "managedNodeGroups": [{"name": "a", "instanceType": "t3.mega"}, {"name": "b", "instanceTypes": ["t3.mega"]}],
    }
    request = read_draft(json.dumps(body).encode(), "application/json")
    ours = [error(f"nodegroups[{number}].instanceTypes[0]", "type-not-offered", "") for number in (0, 1)]
    wording = [finding.path for finding in request.in_callers_words(ours)]
    assert wording == ["managedNodeGroups[0].instanceType", "managedNodeGroups[1].instanceTypes[0]"]


def test_an_eksctl_files_add_on_may_be_configured_in_yaml() -> None:
    addon = {"name": "coredns", "configurationValues": "replicaCount: 3\nautoScaling:\n  enabled: false\n"}
    head = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig"}
    spec, _ = read({**head, "metadata": {"name": "a", "region": "ap-northeast-2"}, "addons": [addon]})
    [coredns] = [one for one in spec.addons if one.name == "coredns"]
    assert json.loads(coredns.configuration or "") == {"replicaCount": 3, "autoScaling": {"enabled": False}}


@pytest.mark.parametrize(
    "text", ['{"a": 1e999}', '{"a": NaN}', '{"a": [-Infinity]}', f"a: {'9' * 400}.0", f"a: {'9' * 31}"]
)
def test_a_configuration_holds_no_number_that_json_has_not(text: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read({"name": "a", "addons": [{"name": "coredns", "configuration": text}]})
    assert [(each.path, each.code) for each in raised.value.findings] == [
        ("addons[0].configuration", "invalid-configuration")
    ]
