"""The command line as a person uses it: its own process, credentials from the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.deploy import PATIENCE
from sandbox.stage import Stage
from tests.paths import PROJECT
from tests.story.steps import Learner, learner

pytestmark = pytest.mark.story

FILE = """
name: typed
leaseHours: 2
nodegroups: [{name: two, instanceTypes: [t3.medium]}]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory of its own: the command writes a kubeconfig."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_a_lab_lives_and_ends_by_the_command_line(stage: Stage) -> None:
    # Given somebody with credentials in the environment
    person = learner(stage)

    # When they request a lab from a file, and watch
    asked = typed(person, "create", "cluster", "-f", "-", given=FILE)

    # Then they see each step
    assert asked.returncode == 0, asked.stderr
    assert "Control plane: done" in asked.stderr
    assert "typed is ready." in asked.stderr
    lab_id = asked.stdout.split()[0]

    # And can show it
    shown = typed(person, "describe", "cluster", lab_id)
    assert (shown.returncode, "ready since" in shown.stdout) == (0, True)
    inventory = typed(person, "get", "inventory", lab_id)
    assert (inventory.returncode, "node group     two: ACTIVE" in inventory.stdout) == (0, True)
    assert "AmazonEKSWorkerNodePolicy" in inventory.stdout
    assert lab_id in typed(person, "get", "clusters").stdout
    assert "It costs $" in typed(person, "extend", "typed", "1h").stdout

    # And errors have a message, and an exit status for scripts
    early = typed(person, "get", "receipt", lab_id)
    assert (early.returncode, early.stdout) == (1, "")
    assert early.stderr.startswith("404 ")
    assert typed(learner(stage), "describe", "cluster", lab_id).returncode == 1
    assert typed(person, "create", "cluster", "typed").returncode == 1

    # And when they end it, and watch, it is deleted, and the receipt proves it
    gone = typed(person, "delete", "cluster", lab_id, "--wait")
    assert gone.returncode == 0, gone.stderr
    assert "typed is deleted." in gone.stderr
    receipt = typed(person, "get", "receipt", lab_id)
    assert receipt.returncode == 0
    assert receipt.stdout.startswith("Nothing of the lab's is left")


def typed(person: Learner, *words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run `python -m ekslab` with these arguments and this standard input."""
    stage, keys = person.stage, person.person.credentials
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_ACCESS_KEY_ID": keys.access_key_id, "AWS_SECRET_ACCESS_KEY": keys.secret_access_key}
    environment |= {"EKSLAB_URL": stage.url, "AWS_REGION": stage.sandbox.region}
    command = [sys.executable, "-m", "ekslab", *words]
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
