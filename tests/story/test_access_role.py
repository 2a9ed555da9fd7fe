"""The lab's access role: of all people with the same permission set, only the owner can use the cluster."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import subprocess
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from emulator.process import Credentials
from sandbox.people import MAY
from sandbox.stage import Stage
from tests.paths import PROJECT
from tests.story.account import left_of
from tests.story.steps import Lab, Learner, signed_in

pytestmark = pytest.mark.story

ROLE = "AWSReservedSSO_Access_0123456789abcdef"
ASSUMING = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/ekslab/*"}
#: The Kubernetes API server's answer to a missing or unknown token.
SHUT_OUT = 401


def test_only_its_owner_gets_into_a_lab_of_a_permission_set_that_many_have(stage: Stage) -> None:
    """Issue 11, row 4."""
    # Given people with one permission set, which lets them call the service and assume roles of labs
    owner = signed_in(stage, ROLE, "jane@example.com")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [*MAY["Statement"], ASSUMING]})
    iam = stage.sandbox.client("iam")
    iam.put_role_policy(RoleName=ROLE, PolicyName="labs", PolicyDocument=policy)
    colleague = again(stage, owner, ROLE, "john@example.com")
    look_alike = signed_in(stage, "AWSReservedSSO_Access_00000000deadbeef", "jane@example.com", "/x/")
    iam.put_role_policy(RoleName="AWSReservedSSO_Access_00000000deadbeef", PolicyName="labs", PolicyDocument=policy)

    # When one of them requests a lab, then its entry is for its access role, without a warning of sharing
    lab = owner.asks_for("jane-alone", nodegroups=[])
    assert "shared-principal" not in {warning["code"] for warning in lab.warnings}
    lab.becomes("ready")
    [own] = [entry for entry in lab.inventory()["accessEntries"] if entry["ofOwner"]]
    role = own["principalArn"]
    assert role == f"arn:aws:iam::{stage.sandbox.account}:role/ekslab/{lab.id}-access"
    assert f"(for {owner.arn.replace('_0123456789abcdef', '')})" in lab.events()

    # Then the owner is admitted with the unchanged kubeconfig
    assert enters(lab, owner, role) == 200

    # And the others are not, by the owner's role or by their own
    for who in (colleague, look_alike):
        assert who.sends("GET", lab.path).status == 404
        assert (enters(lab, who, role), enters(lab, who)) == (SHUT_OUT, SHUT_OUT)

    # And the owner still is after a new assignment of the permission set
    after = signed_in(stage, "AWSReservedSSO_Access_fedcba9876543210", "jane@example.com")
    iam.put_role_policy(RoleName="AWSReservedSSO_Access_fedcba9876543210", PolicyName="labs", PolicyDocument=policy)
    assert enters(lab, after, role) == 200

    # When the lab sleeps and wakes, then its owner loses access, and regains it
    assert owner.sends("POST", f"{lab.path}/hibernate").status == 202
    lab.becomes("hibernated")
    assert enters(lab, owner, role) == SHUT_OUT
    assert owner.sends("POST", f"{lab.path}/wake").status == 202
    lab.becomes("ready")
    assert enters(lab, owner, role) == 200

    # And the role is deleted with the lab
    lab.is_let_go()
    lab.becomes("deleted")
    assert left_of(lab) == []
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=f"{lab.id}-access")


def again(stage: Stage, like: Learner, role: str, name: str) -> Learner:
    """Another person in a session of the same role."""
    sts = stage.sandbox.client("sts")
    arn = stage.sandbox.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    answer = sts.assume_role(RoleArn=arn, RoleSessionName=name)
    key = answer["Credentials"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    return Learner(stage, type(like.person)(name, answer["AssumedRoleUser"]["Arn"], credentials))


def enters(lab: Lab, who: Learner, role: str = "") -> int:
    """The cluster's answer to a list of namespaces with a token of the AWS CLI."""
    found = token(lab, who, role)
    kubeconfig = yaml.safe_load(lab.learner.sends("GET", f"{lab.path}/kubeconfig").body)
    if not found:
        return SHUT_OUT
    [cluster] = kubeconfig["clusters"]
    if role:
        assert kubeconfig["users"][0]["user"]["exec"]["args"][-2:] == ["--role-arn", role]
    return asked(cluster["cluster"], found)


def token(lab: Lab, who: Learner, role: str) -> str:
    """The output of `aws eks get-token`; empty if it fails."""
    sandbox = who.stage.sandbox
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": who.person.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": who.person.credentials.secret_access_key,
        "AWS_SESSION_TOKEN": str(who.person.credentials.session_token),
    }
    command = [PROJECT / ".venv" / "bin" / "aws", "eks", "get-token", "--cluster-name", lab.name]
    command += ["--region", lab.region, "--output", "json", *(("--role-arn", role) if role else ())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode:
        assert "AccessDenied" in done.stderr, done.stderr
        return ""
    return str(json.loads(done.stdout)["status"]["token"])


def asked(cluster: Mapping[str, Any], bearer: str) -> int:
    endpoint = urlsplit(cluster["server"])
    trusted = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    connection = http.client.HTTPSConnection(endpoint.hostname or "", endpoint.port, context=trusted, timeout=30)
    try:
        connection.request("GET", f"{endpoint.path}/api/v1/namespaces", headers={"Authorization": f"Bearer {bearer}"})
        return connection.getresponse().status
    finally:
        connection.close()
