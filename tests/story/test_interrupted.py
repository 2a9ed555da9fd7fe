"""A lab's whole life in which each call of a function about it is interrupted once, in one way a story.

Each story asserts: the lab reaches every requested phase, its receipt is clean, nothing of it is left, and each function of
such a life was interrupted. `make prove` runs all of them; `make check` the two that lose most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from sandbox.people import HttpAnswer
from sandbox.stage import Stage, installed
from tests.paths import PROJECT
from tests.proof.only import keep
from tests.story.account import clients, left_of
from tests.story.eventual import lag_seed
from tests.story.steps import Lab, Learner, learner

pytestmark = pytest.mark.story
#: Minimum numbers of interrupted pairs of function and action in one life: of all calls, and of those that change something.
PAIRS, PAIRS_OF_WRITES = 220, 55
WORKFLOWS = ("provision", "update", "hibernate", "wake", "teardown")
#: States that only a failed workflow enters; tests/proof fails each step until it does.
FAILED = {"HibernateGiveUp", "ProvisionRollBack", "TeardownBlock", "UpdateGiveUp", "WakeGiveUp"}
STEPS = ("Provision", "Update", "Hibernate", "Wake", "Teardown")
"""How the roles of the workflows' functions begin. The API's is left alone: people's requests would end with it."""


def test_every_answer_is_lost_once(stage: Stage) -> None:
    lives(stage, "lost")


def test_every_function_dies_once_after_every_change(stage: Stage) -> None:
    """Of workflow steps, only after changes: a step reads more often than its workflow retries.

    In a sandbox of its own: all processes of a function end, including those of other labs.
    """
    with installed() as own:
        own.lag(lag_seed())
        lives(own, "killed", STEPS, writes=True)


@pytest.mark.long
def test_every_call_is_cut_once(stage: Stage) -> None:
    lives(stage, "cut")


@pytest.mark.long
def test_every_call_is_throttled_once(stage: Stage) -> None:
    lives(stage, "throttled")


@pytest.mark.long
def test_every_call_fails_once_before_its_effect(stage: Stage) -> None:
    lives(stage, "failed")


@pytest.mark.long
def test_every_call_fails_once_after_its_effect(stage: Stage) -> None:
    lives(stage, "failed-after")


def lives(stage: Stage, effect: str, roles: Sequence[str] = ("",), writes: bool = False) -> None:
    """Take a lab through all phases with every call about it interrupted once, and check that nothing is left."""
    name = f"interrupted-{effect}"
    rules = [{"effect": effect, "role": f"ekslab-{role}", "writes": writes} for role in roles]
    stage.sandbox.admin("PATCH", "interruptions", [{**rule, "about": [name]} for rule in rules])
    asked = {"name": name, "nodegroups": [{"name": "workers", "desired": 1, "min": 1, "max": 3}]}
    owner = learner(stage)
    lab = owner.taken(answered(owner, "POST", "/labs", asked, idempotency_key=name))
    stage.sandbox.admin("PATCH", "interruptions", [{**rule, "about": [lab.id]} for rule in rules])
    lab.becomes("ready")
    changed(lab, "PATCH", "", {"nodegroups": [{"name": "workers", "desired": 2}]}, "ready")
    group = clients(lab)("eks").describe_nodegroup(clusterName=name, nodegroupName="workers")["nodegroup"]
    assert group["scalingConfig"]["desiredSize"] == 2
    changed(lab, "POST", "/hibernate", None, "hibernated")
    changed(lab, "POST", "/wake", None, "ready")
    changed(lab, "DELETE", "", None, "deleted")
    assert lab.receipt()["clean"]
    assert left_of(lab) == []
    told = stage.sandbox.admin("GET", "interruptions")["interrupted"]
    pairs = sorted({(each["role"], each["action"]) for each in told if each["effect"] == effect})
    found = {role.removeprefix("ekslab-").rpartition("Role-")[0] for role, _ in pairs}
    assert functions() | (set() if writes else {"ApiHandler"}) <= found
    assert len(pairs) >= (PAIRS_OF_WRITES if writes else PAIRS)
    keep(effect, [{"role": role, "action": action} for role, action in pairs])


def functions() -> set[str]:
    """The functions that the workflows of such a life invoke."""
    machines = [(PROJECT / f"statemachine/{name}.asl.json").read_text() for name in WORKFLOWS]
    return set(re.findall(r'"Resource": "\$\{(\w+)\}"', "".join(machines))) - FAILED


def changed(lab: Lab, method: str, path: str, body: dict[str, object] | None, phase: str) -> None:
    """Request a change and wait for its result; 409 if the answer to an accepted request was lost."""
    answer = answered(lab.learner, method, lab.path + path, body)
    assert answer.status in (202, 409), answer.body
    lab.becomes(phase)


def answered(who: Learner, method: str, path: str, body: dict[str, object] | None, **headers: str) -> HttpAnswer:
    """Repeat the request until it is answered, as programs do: each call of the API itself is interrupted once, too."""
    for _ in range(60):
        answer = who.sends(method, path, body, **headers)
        if answer.status < 500:
            break
    return answer
