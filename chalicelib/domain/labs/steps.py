"""The visible steps of workflow functions and their titles; the steps' results.

A function that requests and one that checks are one step for people: both map to the same visible name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.lab import Lab, Phase

#: workflow -> function -> (visible step, title). A function absent here is not shown as a step.
STEPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "provision": {
        "create_stack": ("create_stack", Sentence("Network, security groups and roles")),
        "check_stack": ("create_stack", Sentence("Network, security groups and roles")),
        "create_cluster": ("create_cluster", Sentence("Control plane")),
        "check_cluster": ("create_cluster", Sentence("Control plane")),
        "launch_work_host": ("launch_work_host", Sentence("Work host")),
        "create_nodegroups": ("create_nodegroups", Sentence("Node groups")),
        "check_nodegroups": ("create_nodegroups", Sentence("Node groups")),
        "create_addons": ("create_addons", Sentence("Add-ons")),
        "check_addons": ("create_addons", Sentence("Add-ons")),
        "grant_access": ("grant_access", Sentence("Access entries")),
        "open_security_groups": ("open_security_groups", Sentence("Security group rules")),
        "verify": ("verify", Sentence("Verification")),
        "roll_back": ("roll_back", Sentence("Handing over to teardown")),
    },
    "update": {
        "change_endpoint": ("change_endpoint", Sentence("Endpoint access")),
        "check_endpoint": ("change_endpoint", Sentence("Endpoint access")),
        "scale_nodegroups": ("scale_nodegroups", Sentence("Node count")),
        "check_nodegroups": ("scale_nodegroups", Sentence("Node count")),
        "give_up": ("give_up", Sentence("What was changed before it failed")),
    },
    "hibernate": {
        "revoke_access": ("revoke_access", Sentence("Access entries")),
        "shrink_nodegroups": ("shrink_nodegroups", Sentence("Node groups to no nodes")),
    },
    "wake": {
        "restore_nodegroups": ("restore_nodegroups", Sentence("Node groups to their sizes")),
        "verify_nodes": ("verify_nodes", Sentence("Nodes that are Ready")),
        "grant_access": ("grant_access", Sentence("Access entries")),
        "give_up": ("give_up", Sentence("Nodes that came are sent away again")),
    },
    "teardown": {
        "begin": ("begin", Sentence("Letting what was under way end")),
        "revoke_access": ("revoke_access", Sentence("Access entries")),
        "take_stock": ("take_stock", Sentence("Inventory before deleting")),
        "sweep_kubernetes": ("sweep_kubernetes", Sentence("Kubernetes' own balancers and volumes")),
        "delete_nodegroups": ("delete_nodegroups", Sentence("Node groups and Fargate profiles")),
        "terminate_instances": ("terminate_instances", Sentence("Instances outside node groups")),
        "sweep_leftovers": ("sweep_leftovers", Sentence("Load balancers, interfaces, volumes, DNS records")),
        "delete_cluster": ("delete_cluster", Sentence("Control plane")),
        "sweep_remains": ("sweep_remains", Sentence("Security groups, OIDC provider, log group")),
        "delete_stack": ("delete_stack", Sentence("Network and roles")),
        "take_inventory": ("take_inventory", Sentence("Proof of empty")),
    },
    "verify_deletion": {
        "look": ("look", Sentence("Looking again")),
        "remove_leftovers": ("remove_leftovers", Sentence("Removing what came back")),
    },
}
#: The phases in which each workflow may act. In any other phase it was superseded.
ACTS_IN: Mapping[str, frozenset[Phase]] = {
    "provision": frozenset({Phase.REQUESTED, Phase.PROVISIONING}),
    "update": frozenset({Phase.UPDATING}),
    "hibernate": frozenset({Phase.HIBERNATING}),
    "wake": frozenset({Phase.WAKING}),
    "teardown": frozenset({Phase.RELEASING, Phase.ROLLING_BACK}),
    "verify_deletion": frozenset({Phase.DELETED, Phase.FAILED, Phase.BLOCKED}),
}


class Result(StrEnum):
    """The `outcome` that a workflow function returns to ASL."""

    ASKED = "asked"
    AGAIN = "again"
    DONE = "done"
    SKIPPED = "skipped"
    STUCK = "stuck"


@dataclass(frozen=True)
class StepResult:
    """`look_again_in`: seconds that ASL waits on ASKED and AGAIN. `detail`: one sentence for the person watching."""

    outcome: Result
    detail: str = ""
    look_again_in: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)


def execution_name(lab: Lab, workflow: str, run: int | None = None) -> str:
    """The name of a run's execution (by default this one's): the same for the same run, so that a second start is refused."""
    return f"{lab.id}-{lab.run if run is None else run}-{workflow}"


class Execution(StrEnum):
    """The state of an execution. ABSENT: Step Functions has none of this name; its start got lost, or is not known yet."""

    RUNNING = "running"
    ENDED = "ended"
    ABSENT = "absent"


class StepStatus(StrEnum):
    """The progress of a step."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One step of one workflow run. `detail`: its wait, or its result, in words.

    `name` is the workflow's step without verbs that only poll (`create_cluster` covers `check_cluster`);
    `attempts` counts its looks; `waited`: the seconds in a row for which the same answer was
    waited out (throttling, say) instead of counting as a look; `run` is the lab's run counter.
    """

    workflow: str
    name: str
    title: str
    status: StepStatus
    started_at: datetime
    ended_at: datetime | None = None
    detail: str = ""
    attempts: int = 0
    run: int = 0
    waited: int = 0


@dataclass(frozen=True)
class Event:
    """One line of a lab's history. `kind` is a kebab-case word (`phase-changed`, `step-done`, `resource-deleted`, ...)."""

    at: datetime
    kind: str
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
