"""The course's eksctl command with its first word changed, typed into a shell; then kubectl."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sandbox.deploy import PATIENCE
from sandbox.stage import Stage
from tests.paths import KUBECTL, PROJECT
from tests.story.network import a_network
from tests.story.steps import learner

pytestmark = pytest.mark.story

COURSE = """ekslab create cluster --name $CLUSTER_NAME --region=ap-northeast-2 --nodegroup-name=$CLUSTER_NAME-nodegroup \
--node-type=t3.medium --node-volume-size=30 --vpc-public-subnets "$PubSubnet1,$PubSubnet2" --version $VERSION \
--ssh-access --external-dns-access --verbose 4"""


def test_the_courses_command_makes_the_lab_and_kubectl_uses_it_at_once(stage: Stage) -> None:
    assert KUBECTL.exists(), "kubectl is not installed: `make kubectl`"
    with TemporaryDirectory() as home:
        types_the_command(stage, Path(home))


def types_the_command(stage: Stage, tmp_path: Path) -> None:
    # Given a learner with a key, two subnets of theirs, and another cluster in their kubeconfig
    shell = Shell(stage, tmp_path)
    network = a_network(stage, "10.43.0.0/16")
    stage.offer({"networks": [*stage.course.offers["networks"], {"vpcId": network.vpc}]})
    key = tmp_path / ".ssh" / "id_ed25519.pub"
    key.parent.mkdir()
    key.write_text(KEY)
    shell.kubeconfig.parent.mkdir()
    shell.kubeconfig.write_text(OTHERS)

    # When they type the course's command
    version = json.loads(shell.types("ekslab get versions -o json").stdout)["default"]
    known = {"CLUSTER_NAME": "course", "VERSION": version}
    made = shell.types(COURSE, **known, PubSubnet1=network.subnets[0], PubSubnet2=network.subnets[1])

    # Then the lab is as in the command
    assert made.returncode == 0, made.stderr
    assert "POST /labs: 202" in made.stderr
    assert "--external-dns-access: No rights are put on the node role" in made.stderr
    assert "price       $" in made.stdout
    lab = json.loads(shell.types("ekslab describe cluster course -o json").stdout)
    assert (lab["phase"], lab["version"], lab["region"]) == ("ready", version, "ap-northeast-2")
    [group] = lab["spec"]["nodegroups"]
    assert (group["name"], group["instanceTypes"], group["volumeGib"]) == ("course-nodegroup", ["t3.medium"], 30)
    assert lab["spec"]["network"]["publicSubnetIds"] == list(network.subnets)
    assert lab["spec"]["ssh"]["publicKey"].startswith("ssh-ed25519 ")

    # And kubectl uses it at once, beside the other entries
    nodes = shell.types("kubectl get nodes -o name")
    assert nodes.returncode == 0, nodes.stderr
    assert len(nodes.stdout.split()) == 2
    contexts = shell.types("kubectl config get-contexts -o name").stdout.split()
    assert sorted(contexts) == ["course.ap-northeast-2.ekslab", "theirs"]

    # And its entry leaves the kubeconfig when the lab ends
    gone = shell.types("ekslab delete cluster course --wait")
    assert gone.returncode == 0, gone.stderr
    assert shell.types("kubectl config get-contexts -o name").stdout.split() == ["theirs"]
    assert shell.types("ekslab get clusters").stdout == "No labs.\n"
    assert "course" in shell.types("ekslab get clusters --all").stdout


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJX4gA1qLHkvpXxFbP5cOxNqGXQHnP3lJSvf0Ojuwmwd learner\n"
OTHERS = """apiVersion: v1
kind: Config
clusters:
- name: theirs   # not ours to touch
  cluster: {server: "https://example.com"}
users: []
contexts:
- name: theirs
  context: {cluster: theirs, user: ""}
current-context: theirs
"""


class Shell:
    """A learner's shell, with its own home directory and `ekslab` and `aws` on its path."""

    def __init__(self, stage: Stage, home: Path) -> None:
        keys = learner(stage).person.credentials
        tools = home / "bin"
        tools.mkdir()
        (tools / "ekslab").write_text(f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} -m ekslab "$@"\n')
        (tools / "ekslab").chmod(0o755)
        self.kubeconfig = home / ".kube" / "config"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KUBE"))}
        self.environment |= {
            "HOME": str(home),
            "PATH": f"{tools}:{Path(sys.executable).parent}:{KUBECTL.parent}:{os.environ['PATH']}",
            "EKSLAB_URL": stage.url,
            "AWS_ENDPOINT_URL": stage.sandbox.url,
            "AWS_REGION": stage.sandbox.region,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        }

    def types(self, line: str, **known: str) -> "subprocess.CompletedProcess[str]":
        """Run a line in bash, with these variables."""
        return subprocess.run(
            ["bash", "-c", line],
            env={**self.environment, **known},
            cwd=self.environment["HOME"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
