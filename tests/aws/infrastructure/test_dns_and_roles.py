"""The Dns and Roles adapters on the sandbox's Route 53 and IAM, and this service's own access to a cluster."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest

from chalicelib.aws.infrastructure.dns import Route53Dns
from chalicelib.aws.infrastructure.roles import IamRoles
from chalicelib.aws.kubernetes.token import ClusterTokens, OwnAccess
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessSpec
from emulator.process import Sandbox
from tests.aws.given import a_lab


@pytest.fixture(scope="module")
def domain(sandbox: Sandbox) -> str:
    return f"{uuid4().hex[:8]}.example.com"


def make_zone(sandbox: Sandbox, name: str, private: bool = False) -> str:
    more: dict[str, Any] = {}
    if private:
        vpc = sandbox.client("ec2").create_vpc(CidrBlock="10.88.0.0/16")["Vpc"]["VpcId"]
        more = {
            "VPC": {"VPCRegion": "ap-northeast-2", "VPCId": vpc},
            "HostedZoneConfig": {"PrivateZone": True, "Comment": ""},
        }
    made = sandbox.client("route53").create_hosted_zone(Name=name, CallerReference=uuid4().hex, **more)
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


def test_a_zone_is_found_by_its_id_its_name_and_its_name_with_a_dot(sandbox: Sandbox, domain: str) -> None:
    id = make_zone(sandbox, domain)
    dns = Route53Dns(sandbox.client("route53"))
    for word in (id, f"/hostedzone/{id}", domain, f"{domain}.", domain.upper()):
        zone = dns.zone(word)
        assert zone is not None
        assert (zone.id, zone.name, zone.private) == (id, domain, False)


def test_of_two_zones_of_one_name_the_public_one_is_meant(sandbox: Sandbox) -> None:
    name = f"{uuid4().hex[:8]}.example.com"
    make_zone(sandbox, name, private=True)
    public = make_zone(sandbox, name)
    zone = Route53Dns(sandbox.client("route53")).zone(name)
    assert zone is not None
    assert (zone.id, zone.private) == (public, False)


def test_there_is_no_zone_for_a_part_of_its_name(sandbox: Sandbox, domain: str) -> None:
    dns = Route53Dns(sandbox.client("route53"))
    assert dns.zone("example.com") is None
    assert dns.zone(f"www.{domain}") is None
    assert dns.zone("Z00000000NONE") is None


def make_role(sandbox: Sandbox) -> str:
    iam, name = sandbox.client("iam"), f"role-{uuid4().hex[:8]}"
    iam.create_role(RoleName=name, Path="/ekslab/", AssumeRolePolicyDocument="{}")
    return name


def test_a_role_s_arn_has_its_path(sandbox: Sandbox) -> None:
    name, roles = make_role(sandbox), IamRoles(sandbox.client("iam"))
    assert roles.role_arn(name) == f"arn:aws:iam::111122223333:role/ekslab/{name}"
    assert roles.role_arn("no-such-role") is None


def test_a_role_s_policies_are_the_attached_and_the_inline_ones(sandbox: Sandbox) -> None:
    name, iam = make_role(sandbox), sandbox.client("iam")
    managed = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="mine", PolicyDocument=json.dumps(own))
    assert IamRoles(iam).policies(name) == (("AmazonSSMManagedInstanceCore", managed), ("mine", "inline"))
    with pytest.raises(ResourceGone):
        IamRoles(iam).policies("no-such-role")


def test_a_token_is_a_presigned_question_who_am_i_with_the_cluster_s_name_signed() -> None:
    session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", aws_session_token="more")
    token = ClusterTokens(session, "ap-northeast-2")("myeks")
    prefix, _, encoded = token.partition(".")
    assert prefix == "k8s-aws-v1"
    assert "=" not in encoded
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = parse_qs(url.query)
    assert (url.scheme, url.netloc) == ("https", "sts.ap-northeast-2.amazonaws.com")
    assert query["Action"] == ["GetCallerIdentity"]
    assert set(query["X-Amz-SignedHeaders"][0].split(";")) == {"host", "x-k8s-aws-id"}
    assert query["X-Amz-Security-Token"] == ["more"]
    assert ClusterTokens(session, "ap-northeast-2")("other") != token


class Granted:
    """Records granted access."""

    def __init__(self) -> None:
        self.access: list[AccessSpec] = []

    def grant_access(self, lab: Lab, access: AccessSpec) -> str:
        self.access.append(access)
        return "arn"


class Session:
    """STS for a caller with a role's session."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": self.arn}


def test_the_service_lets_in_its_role_with_its_path_not_its_session(sandbox: Sandbox) -> None:
    name, granted = make_role(sandbox), Granted()
    session = Session(f"arn:aws:sts::111122223333:assumed-role/{name}/lambda")
    OwnAccess(session, sandbox.client("iam"), granted)(a_lab())
    (access,) = granted.access
    assert access.principal_arn == f"arn:aws:iam::111122223333:role/ekslab/{name}"
    assert [policy.policy_arn.rpartition("/")[2] for policy in access.policies] == ["AmazonEKSClusterAdminPolicy"]


def test_a_principal_is_told_with_its_path_whether_user_or_role(sandbox: Sandbox) -> None:
    iam, name = sandbox.client("iam"), f"p-{uuid4().hex[:8]}"
    roles = IamRoles(iam)
    user = iam.create_user(UserName=name, Path="/school/")["User"]["Arn"]
    role = iam.create_role(RoleName=name, Path="/school/", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    begin = f"arn:aws:iam::{sandbox.account}"
    assert roles.principal_arn(f"{begin}:user/{name}") == user
    assert roles.principal_arn(f"{begin}:role/{name}") == role
    assert roles.principal_arn(f"{begin}:user/{name}-gone") is None
    assert roles.principal_arn(f"{begin}:role/{name}-gone") is None
