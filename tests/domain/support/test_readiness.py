"""Blockers of an upgrade, nodes left behind, and the upgrade commands."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import botocore
import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from chalicelib.domain.support.fleet import InsightStatus, NodeKind, Nodes
from chalicelib.domain.support.readiness import BlockerLevel, allowed_skew, behind, blockers, still_calling
from chalicelib.domain.support.upgrade_commands import follow_steps, upgrade_steps
from tests.fakes.builders import NOW
from tests.fakes.fleet_builders import a_fleet_cluster, a_key, an_addon, an_insight

MANAGED = Nodes("workers", NodeKind.MANAGED, "1.29", 3)


@pytest.mark.parametrize(
    ("server", "kubelet", "within"),
    [
        ("1.31", "1.28", True),
        ("1.31", "1.27", False),
        ("1.27", "1.25", True),
        ("1.27", "1.24", False),
        ("1.31", "1.32", False),
    ],
)
def test_a_kubelet_may_be_a_few_minors_older_and_never_newer(server: str, kubelet: str, within: bool) -> None:
    (found,) = behind(server, [replace(MANAGED, version=kubelet)])
    assert found.within is within
    assert str(allowed_skew(server)) in found.sentence or "never allows" in found.sentence


def test_nodes_on_the_control_planes_version_or_of_an_unknown_one_are_not_behind() -> None:
    assert behind("1.31", [replace(MANAGED, version="1.31"), replace(MANAGED, version=None)]) == ()


def test_who_called_since_the_last_look_is_calling_still_and_older_calls_are_an_echo() -> None:
    called = an_insight(status=InsightStatus.ERROR, refreshed_at=NOW, last_called_at=NOW - timedelta(hours=30))
    echo = replace(called, id="2", last_called_at=NOW - timedelta(days=12))
    assert still_calling(called, NOW) is True
    assert still_calling(echo, NOW) is False
    assert still_calling(replace(called, last_called_at=None), NOW) is None
    found = blockers(a_fleet_cluster(insights=(echo, called), nodes=()), NOW)
    assert [blocker.level for blocker in found] == [BlockerLevel.BLOCKS, BlockerLevel.ECHO]
    assert "an echo of the past 30 days" in found[1].sentence


def test_an_addon_that_does_not_run_on_the_next_minor_blocks_and_says_which_does() -> None:
    addon = an_addon(runs_on_next=False, compatible_version="v1.12.0-eksbuild.1")
    (found,) = blockers(a_fleet_cluster(addons=(addon,), nodes=()), NOW)
    assert found.level is BlockerLevel.BLOCKS
    assert "v1.12.0-eksbuild.1 does" in found.sentence


def test_kube_proxy_follows_the_control_plane_and_blocks_nothing() -> None:
    proxy = an_addon(name="kube-proxy", runs_on_next=False, compatible_version="v1.32.0-eksbuild.2")
    assert blockers(a_fleet_cluster(addons=(proxy,), nodes=()), NOW) == ()


def test_commands_go_control_plane_then_addons_then_nodes_and_too_old_nodes_first() -> None:
    old = Nodes("old", NodeKind.SELF_MANAGED, "1.28", 2)
    addon = an_addon(runs_on_next=False, compatible_version="v1")
    steps = upgrade_steps(a_fleet_cluster(version="1.31", nodes=(MANAGED, old), addons=(addon,)))
    begins = [step.title.split(" to ")[0] for step in steps]
    assert begins == [
        "Self-managed nodes old",
        "Control plane",
        "Add-on coredns",
        "Node group workers",
        "Self-managed nodes old",
    ]


def test_every_aws_command_is_one_the_eks_model_knows() -> None:
    loader = Loader(extra_search_paths=[str(Path(botocore.__file__).parent / "data")])
    model = ServiceModel(loader.load_service_model("eks", "service-2"))
    waiters = loader.load_service_model("eks", "waiters-2")["waiters"]
    cluster = a_fleet_cluster(
        version="1.31", nodes=(MANAGED,), addons=(an_addon(runs_on_next=False, compatible_version="v1"),)
    )
    steps = (*upgrade_steps(cluster), *upgrade_steps(replace(cluster, addons=())), *follow_steps(cluster))
    for command in [c for step in steps for c in step.aws]:
        _, service, verb, *rest = shlex.split(command)
        name = next(op for op in model.operation_names if xform_name(op, "-") == _operation(waiters, verb, rest))
        members = {xform_name(member, "-") for member in model.operation_model(name).input_shape.members}
        flags = {word[2:] for word in rest if word.startswith("--")} - {"region"}
        known = members | ({"kubernetes-version"} if "version" in members else set())
        assert service == "eks"
        assert flags <= known, f"{command}: {flags - known}"


def _operation(waiters: dict[str, dict[str, str]], verb: str, rest: list[str]) -> str:
    if verb != "wait":
        return verb
    return xform_name(next(w["operation"] for name, w in waiters.items() if xform_name(name, "-") == rest[0]), "-")


def test_names_are_quoted_for_the_shell() -> None:
    cluster = a_fleet_cluster(key=a_key("x; rm -rf ~"), nodes=())
    commands = [command for step in upgrade_steps(cluster) for command in (*step.aws, *step.eksctl)]
    assert len(commands) == 6
    assert all("'x; rm -rf ~'" in command for command in commands if "describe-addon-versions" not in command)
