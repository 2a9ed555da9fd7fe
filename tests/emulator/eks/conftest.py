"""An emulator in this process with the sandbox's EKS mounted in it, and an account with a network and roles.

Ten minutes of AWS take 0.18 seconds, unless a test changes the clock's scale. The emulator checks no signatures here: the story
tests cover policies.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.core.clients import AwsClients
from emulator.core.clock import EmulatorClock
from emulator.eks import Eks
from emulator.eks.kubernetes import KubernetesServers

SCALE = 0.0003
REGION = "ap-northeast-2"
WORKER_POLICY = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
NODE_POLICIES = (WORKER_POLICY, "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")


@dataclass
class Bench:
    """A test's objects: the emulator's address, EKS itself, and a ready network and roles."""

    url: str
    eks: Eks
    clock: EmulatorClock
    account: str = "111122223333"
    vpc: str = ""
    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    cluster_role: str = ""
    node_role: str = ""

    def client(self, service: str) -> Any:
        return _client(self.url, service, self.account)

    def create_cluster(self, name: str = "myeks", **more: Any) -> dict[str, Any]:
        request = {"name": name, "roleArn": self.cluster_role, "resourcesVpcConfig": {"subnetIds": list(self.public)}}
        return self.client("eks").create_cluster(**{**request, **more})["cluster"]

    def active_cluster(self, name: str = "myeks", **more: Any) -> dict[str, Any]:
        self.create_cluster(name, **more)
        return self.until(lambda: self.describe(name), lambda cluster: cluster["status"] != "CREATING")

    def describe(self, name: str = "myeks") -> dict[str, Any]:
        return self.client("eks").describe_cluster(name=name)["cluster"]

    def create_nodegroup(self, name: str = "workers", **more: Any) -> dict[str, Any]:
        sizes = {"minSize": 1, "maxSize": 3, "desiredSize": 2}
        request = {"subnets": list(self.public), "nodeRole": self.node_role, "scalingConfig": sizes}
        named = {"clusterName": "myeks", "nodegroupName": name}
        return self.client("eks").create_nodegroup(**{**named, **request, **more})["nodegroup"]

    def ready_nodegroup(self, name: str = "workers", **more: Any) -> dict[str, Any]:
        self.create_nodegroup(name, **more)
        return self.until(lambda: self.describe_nodegroup(name), lambda group: group["status"] != "CREATING")

    def describe_nodegroup(self, name: str = "workers") -> dict[str, Any]:
        return self.client("eks").describe_nodegroup(clusterName="myeks", nodegroupName=name)["nodegroup"]

    def delete_nodegroup(self, name: str = "workers") -> None:
        eks = self.client("eks")
        eks.delete_nodegroup(clusterName="myeks", nodegroupName=name)
        self.until(lambda: eks.list_nodegroups(clusterName="myeks")["nodegroups"], lambda names: name not in names)

    def finished(self, update: dict[str, Any], **of: str) -> dict[str, Any]:
        named = {"name": "myeks", "updateId": update["id"], **of}
        answer = self.until(
            lambda: self.client("eks").describe_update(**named), lambda seen: seen["update"]["status"] != "InProgress"
        )
        return answer["update"]

    def freeze(self) -> None:
        """Freeze all operations that start from now on, until the clock's scale is set again."""
        self.clock.scale = 1

    @staticmethod
    def until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 10) -> Any:
        end = time.monotonic() + seconds
        while True:
            seen = look()
            if good(seen):
                return seen
            assert time.monotonic() < end, f"still {seen}"
            time.sleep(0.02)


@pytest.fixture(scope="session")
def emulator() -> Iterator[tuple[str, Any]]:
    """ministack in this process on a free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), LOG_LEVEL="WARNING", MINISTACK_REGION=REGION)
    from hypercorn.asyncio import serve
    from hypercorn.config import Config as ServerConfig
    from ministack import app as ministack

    config = ServerConfig()
    config.bind = [f"127.0.0.1:{port}"]
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(serve(ministack.app, config, shutdown_trigger=stop.wait)), daemon=True
    )
    thread.start()
    url = f"http://127.0.0.1:{port}"
    Bench.until(lambda: _answers(url), bool)
    yield url, ministack
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture(scope="session")
def account(emulator: tuple[str, Any]) -> Bench:
    """EKS mounted in the emulator, and an account with two public and two private subnets and two roles."""
    url, ministack = emulator
    clock = EmulatorClock(SCALE)
    bench = Bench(url, Eks(clock=clock, aws=AwsClients(url), kubernetes=KubernetesServers()), clock)
    ministack._loaded_modules["eks"] = bench.eks
    _furnish(bench)
    return bench


@pytest.fixture
def bench(account: Bench) -> Iterator[Bench]:
    """The account without clusters."""
    yield account
    account.eks.reset()
    account.clock.set(datetime.now(UTC))
    account.clock.scale = SCALE


@cache
def _client(url: str, service: str, account: str) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    return boto3.session.Session().client(service, endpoint_url=url, region_name=REGION, config=config, **keys)


def _answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(f"{url}/_ministack/health", timeout=1).status == 200
    except OSError:
        return False


def _furnish(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    bench.vpc = ec2.create_vpc(CidrBlock="192.168.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=bench.vpc)
    table = ec2.create_route_table(VpcId=bench.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=bench.vpc, CidrBlock=f"192.168.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("acac", 1)
    ]
    ids = [made["Subnet"]["SubnetId"] for made in subnets]
    bench.public, bench.private = tuple(ids[:2]), tuple(ids[2:])
    for subnet in bench.public:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    bench.cluster_role = make_role(bench, "cluster-role", "eks.amazonaws.com")
    bench.node_role = make_role(bench, "node-role", "ec2.amazonaws.com")
    for policy in NODE_POLICIES:
        bench.client("iam").attach_role_policy(RoleName="node-role", PolicyArn=policy)


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    """Return the name of the exception in AWS's answer."""
    return str(refused.value.response["Error"]["Code"])


def make_role(bench: Bench, name: str, service: str) -> str:
    """Create a role that trusts the service and return its ARN."""
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    arn: str = bench.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return arn
