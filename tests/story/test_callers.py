"""Callers at the real door: nobody gets in without a signature, and a session of a permission set is its user."""

import json
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest

from sandbox.emulator import Credentials
from sandbox.people import MAY, HttpAnswer, signed_request
from sandbox.stage import Stage
from tests.api.matrix import MATRIX

pytestmark = pytest.mark.story

FORGED = Credentials("AKIAFORGEDFORGEDFORG", "made-up", None)


def test_no_route_but_the_links_is_reached_without_a_good_signature(stage: Stage) -> None:
    # Given every route there is
    signed = sorted(route for route in MATRIX if "{token}" not in route[1])

    # Then nobody gets through who does not sign, or signs with a key that is nobody's
    assert {route: unsigned(stage, *route) for route in signed} == dict.fromkeys(signed, 403)
    for method, path in signed[:3]:
        assert signed_request(method, stage.url + filled(path), FORGED, stage.sandbox.region).status == 403

    # And a link needs none, but must be a good one
    assert unsigned(stage, "GET", "/keep/k1.made.up") == 404
    assert unsigned(stage, "POST", "/keep/k1.made.up") == 404


def test_a_session_of_a_permission_set_is_its_user_whatever_the_roles_suffix(stage: Stage) -> None:
    # Given a permission set that was assigned twice, so that its role has another suffix
    before = session(stage, "AWSReservedSSO_Stories_0123456789abcdef", "learner@example.com")
    after = session(stage, "AWSReservedSSO_Stories_fedcba9876543210", "learner@example.com")
    learner = f"arn:aws:sts::{stage.sandbox.account}:assumed-role/AWSReservedSSO_Stories/learner@example.com"

    # Then both sessions may list the labs of the one person, and not somebody else's
    for who in (before, after):
        assert labs_of(stage, who, learner).status == 200
        assert labs_of(stage, who, learner.replace("learner@", "other@")).status == 400
        assert labs_of(stage, who, "*").status == 400


def unsigned(stage: Stage, method: str, path: str) -> int:
    request = urllib.request.Request(stage.url + filled(path), data=b"{}" if method != "GET" else None, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def filled(path: str) -> str:
    """A path with something in the place of each parameter."""
    return "/".join("2026-11-23" if part.startswith("{") else part for part in path.split("/"))


def session(stage: Stage, role: str, name: str) -> Credentials:
    """Make a role that may call the API, and become a session of it."""
    account = stage.sandbox.account
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    iam = stage.sandbox.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    path = "/aws-reserved/sso.amazonaws.com/"
    arn = iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="labs", PolicyDocument=json.dumps(MAY))
    given = stage.sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def labs_of(stage: Stage, who: Credentials, owner: str) -> HttpAnswer:
    url = f"{stage.url}/labs?owner={quote(owner, safe='')}"
    return signed_request("GET", url, who, stage.sandbox.region)
