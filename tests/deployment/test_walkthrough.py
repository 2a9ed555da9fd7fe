"""docs/how-to/deploy.md is run from top to bottom, unchanged, in a shell whose AWS is a sandbox.

The account meets the page's requirements: a role for the platform team, one for learners, and a profile for each. Differences
from a team's own machine are listed in `ELSEWHERE`, with reasons; the page's text is unchanged.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deployment.packaging import PROJECT, Package
from deployment.stacks import find_stack, outputs_of
from emulator.core.settings import Settings
from emulator.process import Credentials, Sandbox, running_sandbox
from sandbox.deploy import api_url
from sandbox.people import HttpAnswer, signed_request
from sandbox.stage import SCALE
from tests.paths import KUBECTL

PAGE = (PROJECT / "docs/how-to/deploy.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = [text for language, text in FENCE.findall(PAGE) if language == "sh"]
#: The first words of inline code that is a command, which must also be in a block that runs.
TOOLS = re.compile(r"`((?:make|aws|python|kubectl|git|curl) [^`]+)`")
LEARNER = "learner"
#: Wall seconds for one block, on a busy machine.
PATIENCE = 300

ELSEWHERE = {
    "EKSLAB_URL": "the sandbox serves the API at its own address, not under amazonaws.com: replaced once it was read",
    "make": "takes the environment that runs the tests for the installed one, instead of making .venv/",
    "kubectl": "is that of `make kubectl`, for the page leaves it to whoever reads it",
    "yes": "is what the person at the keyboard answers to every question",
}

PROFILES = """\
[profile root]
aws_access_key_id = {root.access_key_id}
aws_secret_access_key = {root.secret_access_key}

[profile platform]
role_arn = arn:aws:iam::{account}:role/PlatformTeam
role_session_name = platform
source_profile = root

[profile learner]
role_arn = arn:aws:iam::{account}:role/Learners
role_session_name = learner
source_profile = root
"""


@dataclass
class Terminal:
    """An interactive shell: variables and functions persist from one block to the next."""

    sandbox: Sandbox
    home: Path
    typed: list[tuple[str, str]] = field(default_factory=list)

    def types(self, block: str) -> None:
        """Run a block; fail with its output unless every command of it succeeded."""
        kept = self.home / "kept"
        kept.touch()
        script = f"set -aeuo pipefail\n{_MAKE}\n. {kept}\n{block}\n{{ export -p; declare -f; }} > {kept}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=PROJECT,
            env=self._environment(),
            input="yes\n" * 9,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}"
        self.typed.append((block, done.stdout))
        kept.write_text(re.sub(r"https://(\w+)\.execute-api\.[^/\"]+/api/?", self._api, kept.read_text()))

    def answer_to(self, command: str) -> str:
        """The output of the block with this command."""
        return next(said for block, said in self.typed if command in block)

    def _api(self, found: re.Match[str]) -> str:
        return api_url(self.sandbox.url, {"RestAPIId": found[1]})

    def _environment(self) -> Mapping[str, str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EKSLAB_", "MAKE"))}
        tools = f"{self.home / 'bin'}:{Path(sys.executable).parent}:{known['PATH']}"
        return known | {"HOME": str(self.home), "PATH": tools, "AWS_ENDPOINT_URL": self.sandbox.url, "AWS_PAGER": ""}


_MAKE = f'make() {{ command make BIN={Path(sys.executable).parent} -o .venv/.installed "$@"; }}'


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """An account with only the two roles that the page requires."""
    with running_sandbox(Settings(scale=SCALE, shared_imports=True)) as sandbox:
        _make_role(sandbox, "Learners")
        _make_role(sandbox, "PlatformTeam")
        may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        sandbox.client("iam").put_role_policy(RoleName="PlatformTeam", PolicyName="all", PolicyDocument=json.dumps(may))
        yield sandbox


def _make_role(sandbox: Sandbox, name: str, under: str = "/") -> None:
    whoever = {"AWS": f"arn:aws:iam::{sandbox.account}:root"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": whoever, "Action": "sts:AssumeRole"}],
    }
    sandbox.client("iam").create_role(RoleName=name, Path=under, AssumeRolePolicyDocument=json.dumps(trust))


@pytest.fixture
def terminal(account: Sandbox, tmp_path: Path) -> Terminal:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(PROFILES.format(root=account.root, account=account.account))
    (tmp_path / "bin").mkdir()
    assert KUBECTL.exists(), "kubectl is not installed: `make kubectl`"
    (tmp_path / "bin/kubectl").symlink_to(KUBECTL)
    return Terminal(account, tmp_path)


def test_the_page_leads_from_nothing_to_a_working_lab_and_out_again(terminal: Terminal, packaged: Package) -> None:
    for block in COMMANDS:
        if "delete cluster first" in block:
            nothing_works_that_was_tried(terminal.sandbox)
        terminal.types(block)

    assert "LabsTable (AWS::DynamoDB::Table)" in terminal.answer_to("AlarmsMail=")
    assert "from eks:DescribeClusterVersions" in terminal.answer_to("ekslab get versions")
    assert "learner@example.com" in terminal.answer_to("list-subscriptions-by-topic")
    offered = terminal.answer_to("ekslab offers --set 'keyPairs")
    assert all(word in offered for word in ('["course"]', '"vpcId": "vpc-', '"domain": "labs.example.net"'))
    assert 'instanceTypes   ["t3", "t3a"]' in offered
    assert "first is ready." in terminal.answer_to("create cluster first")
    kubectl = terminal.answer_to("kubectl get nodes")
    assert len(re.findall(r" Ready +<none> ", kubectl)) == 2
    assert 'deployment "web" successfully rolled out' in kubectl
    assert re.search(r"web-\S+ +1/1 +Running ", kubectl)
    assert "could not be read" not in terminal.answer_to("verdict first")
    assert "\nok, version " in "\n" + terminal.answer_to("ekslab health")
    assert "first is deleted." in terminal.answer_to("delete cluster first")
    assert "Nothing of the lab's is left" in terminal.answer_to("receipt first")
    assert "ekslab-prod is gone." in terminal.answer_to("make destroy")
    assert _left(terminal.sandbox) == []


def nothing_works_that_was_tried(sandbox: Sandbox) -> None:
    """Issue 11: in the page's installation, by principals with exactly the rights that it gives learners.

    Rows whose trial needs no deployment (3, 7, 8, 9, 12) have theirs by name in SECURITY.md.
    """
    outputs = outputs_of(find_stack(sandbox.client("cloudformation"), "ekslab-prod"))
    ec2, zone = sandbox.client("ec2"), sandbox.client("route53").create_hosted_zone
    others = zone(Name="corp.example.org", CallerReference="others")["HostedZone"]["Id"].rpartition("/")[2]
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{n}.0/24", AvailabilityZone=f"{sandbox.region}{letter}")
        for n, letter in enumerate("ac")
    ]
    network = {"publicSubnetIds": [each["Subnet"]["SubnetId"] for each in subnets]}

    def tried(role: str, who: str, method: str, path: str, body: Any = None, under: str = "/") -> HttpAnswer:
        keys = _session(sandbox, role, who, under)
        url = api_url(sandbox.url, outputs) + path
        return signed_request(method, url, keys, sandbox.region, json.dumps(body) if body is not None else None)

    def refused(role: str, body: dict[str, Any]) -> str:
        answer = tried(role, "learner", "POST", "/labs?dryRun=true", {"name": "tried", **body})
        return f"{answer.status} {answer.body.decode()}"

    # 1 and 2: no resource of the account but the offered ones
    assert re.match(r"4\d\d .*offer", refused("Learners", {"externalDns": {"hostedZoneId": others}}))
    assert re.match(r"4\d\d .*offer", refused("Learners", {"network": network}))
    # 4: the lab is invisible to a colleague
    [first] = tried("Learners", "learner", "GET", "/labs").json["labs"]
    assert tried("Learners", "colleague", "GET", f"/labs/{first['id']}").status == 404
    # 5 and 6: a look-alike is another person, and a name that starts like the administrators' role's is not theirs
    for role, under in (("PlatformTeam_ReadOnly", "/"), ("AWSReservedSSO_PlatformTeam_00000000deadbeef", "/x/")):
        assert tried(role, "platform", "PUT", "/offers", {"keyPairs": ["mine"]}, under).status == 403
        assert tried(role, "learner", "GET", f"/labs/{first['id']}", under=under).status == 404
    # 10 and 13: one stage, throttled and logged
    [stage] = sandbox.client("apigateway").get_stages(restApiId=outputs["RestAPIId"])["item"]
    assert stage["stageName"] == "api"
    # 11: more nodes than a lab may have
    [group] = tried("Learners", "learner", "GET", f"/labs/{first['id']}").json["spec"]["nodegroups"]
    many = {"nodegroups": [{"name": group["name"], "desired": 99}]}
    assert tried("Learners", "learner", "PATCH", f"/labs/{first['id']}", many).status == 400


def _session(sandbox: Sandbox, role: str, who: str, under: str) -> Credentials:
    """A session of a role with the page's rights for learners, created unless it exists."""
    iam, sts = sandbox.client("iam"), sandbox.client("sts")
    try:
        iam.get_role(RoleName=role)
    except iam.exceptions.NoSuchEntityException:
        _make_role(sandbox, role, under)
        may = iam.get_role_policy(RoleName="Learners", PolicyName="ekslab")["PolicyDocument"]
        iam.put_role_policy(RoleName=role, PolicyName="ekslab", PolicyDocument=json.dumps(may))
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName=who)["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def _left(sandbox: Sandbox) -> list[Any]:
    """The resources that the page's end must have deleted: stack, tables, buckets, clusters."""
    stack = find_stack(sandbox.client("cloudformation"), "ekslab-prod")
    buckets = [bucket["Name"] for bucket in sandbox.client("s3").list_buckets()["Buckets"]]
    tables, clusters = sandbox.client("dynamodb").list_tables(), sandbox.client("eks").list_clusters()
    return [*([stack] if stack else []), *buckets, *tables["TableNames"], *clusters["clusters"]]


def test_every_block_of_the_page_is_run() -> None:
    assert {language for language, _ in FENCE.findall(PAGE)} == {"sh"}
    assert PAGE.count("```") == 2 * len(COMMANDS)


def test_no_command_hides_in_a_sentence() -> None:
    run = "\n".join(COMMANDS)
    assert [command for command in TOOLS.findall(PAGE) if command not in run] == []


def test_nothing_is_listed_as_otherwise_here_that_the_page_does_not_say() -> None:
    assert [word for word in ELSEWHERE if word not in PAGE] == []
