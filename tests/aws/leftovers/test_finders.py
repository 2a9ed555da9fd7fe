"""Promises of single finders beyond finding: narrow revocations, proofs deleted last, one request for each deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.aws.leftovers.dns_records import DnsRecords
from chalicelib.aws.leftovers.vpc_attachments import VpcEndpoints
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import ResourceGone, StillInUse
from chalicelib.domain.teardown.evidence import LAB_TAG
from tests.aws.leftovers.accounts import MotoAccount, spec
from tests.aws.leftovers.given import LabOnMoto, a_lab_on_moto

OWNED = {"kubernetes.io/cluster/myeks": "owned"}


@pytest.fixture
def lab() -> Iterator[LabOnMoto]:
    with mock_aws():
        yield a_lab_on_moto()


def found(lab: LabOnMoto, kind: Kind, id: str) -> Resource:
    (resource,) = (r for r in lab.account.leftovers().find(kind, lab.target()) if r.id == id)
    return resource


def group_with_rules(account: MotoAccount, *referred: str) -> str:
    """A group that admits an address, itself, and other groups, all on one port."""
    group = account.drop(Kind.SECURITY_GROUP, OWNED, account.places[0]).id
    pairs = [{"GroupId": other} for other in (group, *referred)]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pairs}
    account.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**rule, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]
    )
    return group


def pairs_of(account: MotoAccount, group: str) -> set[str]:
    (row,) = account.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return {pair["GroupId"] for rule in row["IpPermissions"] for pair in rule["UserIdGroupPairs"]}


def test_only_the_labs_groups_lose_their_rules_and_only_those_that_refer_to_it(lab: LabOnMoto) -> None:
    account = lab.account
    doomed, other = (account.drop(Kind.SECURITY_GROUP, OWNED, account.places[0]).id for _ in range(2))
    mine, theirs = group_with_rules(account, doomed, other), group_with_rules(account, doomed)
    resource = found(lab, Kind.SECURITY_GROUP, doomed)
    resource = replace(resource, attributes={**resource.attributes, "may-revoke-from": f"{doomed} {mine}"})
    with suppress(StillInUse):  # A faithful EC2 refuses while `theirs` refers to it; moto may not.
        account.leftovers().delete(resource)
    assert pairs_of(account, mine) == {mine, other}
    assert pairs_of(account, theirs) == {theirs, doomed}
    (row,) = account.ec2.describe_security_groups(GroupIds=[mine])["SecurityGroups"]
    assert [r["CidrIp"] for rule in row["IpPermissions"] for r in rule["IpRanges"]] == ["192.0.2.0/24"]


def test_a_txt_record_goes_only_after_what_it_proves(lab: LabOnMoto) -> None:
    address, txt = lab.account.drop_record("app.lab.example.com", lab.lab.txt_owner_id)
    proof = found(lab, Kind.DNS_RECORD, txt.id)
    with pytest.raises(StillInUse):
        lab.account.leftovers().delete(proof)
    lab.account.leftovers().delete(found(lab, Kind.DNS_RECORD, address.id))
    lab.account.leftovers().delete(proof)
    assert lab.account.look(txt) is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("[Tried to delete resource record set [name='a.', type='A'] but it was not found]", ResourceGone),
        ("[Tried to delete ... but the values provided do not match the current values]", StillInUse),
    ],
)
def test_a_record_that_was_changed_since_it_was_found_is_looked_at_again(words: str, error: type[Exception]) -> None:
    route53 = boto3.client("route53", aws_access_key_id="x", aws_secret_access_key="x")
    row = {"Name": "a.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    record = Resource(Kind.DNS_RECORD, "Z1|a.|A", "arn:x", {}, {"record": json.dumps(row)})
    with Stubber(route53) as stub:
        stub.add_client_error("change_resource_record_sets", "InvalidChangeBatch", words)
        with pytest.raises(error):
            DnsRecords(route53).delete(record)


def test_refusals_inside_a_success_are_raised() -> None:
    ec2 = boto3.client("ec2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    endpoint = Resource(Kind.VPC_ENDPOINT, "vpce-1", "arn:x", {}, {"status": "available"})
    refused = {"ResourceId": "vpce-1", "Error": {"Code": "InvalidVpcEndpointId.NotFound", "Message": "gone"}}
    with Stubber(ec2) as stub:
        stub.add_response("delete_vpc_endpoints", {"Unsuccessful": [refused]}, {"VpcEndpointIds": ["vpce-1"]})
        with pytest.raises(ResourceGone):
            VpcEndpoints(ec2).delete(endpoint)


def test_a_snapshot_is_asked_for_once(lab: LabOnMoto) -> None:
    volume = found(lab, Kind.VOLUME, lab.account.drop(Kind.VOLUME, OWNED, lab.account.places[0]).id)
    forged = lab.account.ec2.create_snapshot(VolumeId=volume.id, **spec("snapshot", lab.lab.tags))["SnapshotId"]
    first = lab.account.leftovers().snapshot(volume, lab.lab.tags, "token-1")
    again = lab.account.leftovers().snapshot(volume, lab.lab.tags, "token-1")
    assert first.id == again.id != forged
    assert lab.account.leftovers().snapshot_state(first.id) == "completed"
    assert lab.account.leftovers().snapshot_state("snap-0123456789abcdef0") is None
    assert lab.account.leftovers().snapshot(volume, lab.lab.tags, "token-2").id != first.id
    assert again.tags[LAB_TAG] == lab.lab.id
    assert again.arn == first.arn


def test_an_attached_interface_is_in_use_and_is_not_asked_for(lab: LabOnMoto) -> None:
    instance = lab.account.drop(Kind.INSTANCE, OWNED, lab.account.places[0])
    interfaces = lab.account.leftovers().find(Kind.NETWORK_INTERFACE, lab.target())
    (attached,) = (r for r in interfaces if r.attributes.get("attached-to") == instance.id)
    with pytest.raises(StillInUse, match=instance.id):
        lab.account.leftovers().delete(attached)


@pytest.mark.parametrize("kind", [Kind.VOLUME, Kind.INSTANCE, Kind.SECURITY_GROUP, Kind.LAUNCH_TEMPLATE])
def test_what_is_gone_says_so(lab: LabOnMoto, kind: Kind) -> None:
    thing = lab.account.drop(kind, OWNED, lab.account.places[0])
    resource = found(lab, kind, thing.id)
    lab.account.leftovers().delete(resource)
    if kind is not Kind.INSTANCE:
        with pytest.raises(ResourceGone):
            lab.account.leftovers().delete(resource)
    assert [r for r in lab.account.leftovers().find(kind, lab.target()) if r.id == thing.id] == []


def test_what_is_on_the_ledger_is_found_whatever_its_tags_say(lab: LabOnMoto) -> None:
    for kind in (Kind.VOLUME, Kind.INSTANCE, Kind.NETWORK_INTERFACE, Kind.LAUNCH_TEMPLATE, Kind.KEY_PAIR):
        thing = lab.account.drop(kind, {}, lab.account.places[1])
        target = replace(lab.target(), known_ids=(thing.id,))
        assert thing.id in {r.id for r in lab.account.leftovers().find(kind, target)}


def test_a_hosted_zone_that_its_owner_deleted_holds_no_records(lab: LabOnMoto) -> None:
    target = replace(lab.target(), hosted_zone_id="ZGONE")
    assert lab.account.leftovers().find(Kind.DNS_RECORD, target) == ()
