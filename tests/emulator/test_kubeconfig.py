"""kubectl with the AWS CLI's configuration: `aws eks update-kubeconfig`, then `get-token` at each call."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from emulator.process import Sandbox
from tests.emulator.test_autoscaling import until
from tests.paths import KUBECTL, PROJECT


def test_a_user_with_an_access_entry_looks_around(sandbox: Sandbox, tmp_path: Path) -> None:
    iam, ec2, eks = sandbox.client("iam"), sandbox.client("ec2"), sandbox.client("eks")
    vpc = ec2.create_vpc(CidrBlock="10.13.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.13.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="looked-at", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    eks.create_cluster(
        name="looked-at",
        roleArn=role,
        resourcesVpcConfig={"subnetIds": [subnet["SubnetId"] for subnet in subnets]},
        accessConfig={"authenticationMode": "API"},
    )
    user = iam.create_user(UserName="looks")["User"]["Arn"]
    describes = {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "*"}
    iam.put_user_policy(UserName="looks", PolicyName="may", PolicyDocument=policy(describes))
    keys = sandbox.credentials_for("looks")
    until(lambda: eks.describe_cluster(name="looked-at")["cluster"]["status"] == "ACTIVE", 30)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{PROJECT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_DEFAULT_REGION": sandbox.region,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "KUBECONFIG": str(tmp_path / "config"),
    }

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    written = run("aws", "eks", "update-kubeconfig", "--name", "looked-at")
    assert written.returncode == 0, written.stderr
    kubectl = KUBECTL
    assert "You must be logged in to the server" in run(kubectl, "get", "ns").stderr
    # And answers are not cached without validation, also by a client whose clock is years behind the server's
    with pytest.raises(HTTPError) as refused:
        urlopen(
            Request(
                f"{eks.describe_cluster(name='looked-at')['cluster']['endpoint']}/api",
                headers={"Authorization": "Bearer x"},
            ),
            context=ssl._create_unverified_context(),
        )
    assert (refused.value.code, refused.value.headers["Cache-Control"]) == (401, "no-cache, private")
    eks.create_access_entry(clusterName="looked-at", principalArn=user)
    assert "cannot list resource" in run(kubectl, "get", "ns").stderr
    eks.associate_access_policy(
        clusterName="looked-at",
        principalArn=user,
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope={"type": "cluster"},
    )
    assert "kube-system" in run(kubectl, "get", "ns").stdout
    assert user in run(kubectl, "auth", "whoami").stdout


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
