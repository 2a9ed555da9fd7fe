"""A lab's whole life while each call that a function makes about it is interrupted once, in one way a story.

What is asserted of each: the lab reaches every phase that it was asked into, its receipt is clean, nothing of it is left, and
each function that works for such a life was interrupted. `make prove` tells all of them; `make check` the two that lose most.
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
#: So many pairs of function and action, at least, are interrupted in one life: of all calls, and of those that change something.
PAIRS, PAIRS_OF_WRITES = 220, 55
WORKFLOWS = ("provision", "update", "hibernate", "wake", "teardown")
#: States that only a failed workflow enters; tests/proof fails each step until it does.
FAILED = {"HibernateGiveUp", "ProvisionRollBack", "TeardownBlock", "UpdateGiveUp", "WakeGiveUp"}
STEPS = ("Provision", "Update", "Hibernate", "Wake", "Teardown")
"""How the roles of the workflows' functions begin. The API's is left alone: people's requests would end with it."""


def test_every_answer_is_lost_once(stage: Stage) -> None:
    lives(stage, "lost")


def test_every_function_dies_once_after_every_change(stage: Stage) -> None:
    """Of the workflows' steps, after what changes something: a step reads more often than its workflow tries again.

    In a sandbox of its own: a function's processes all end, also those that work for others.
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
    """Tell a life of all phases, every call about it being interrupted once, and check what is left of it."""
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
    """Ask for a change and wait for what comes of it; 409 where the answer to one that was taken got lost."""
    answer = answered(lab.learner, method, lab.path + path, body)
    assert answer.status in (202, 409), answer.body
    lab.becomes(phase)


def answered(who: Learner, method: str, path: str, body: dict[str, object] | None, **headers: str) -> HttpAnswer:
    """Ask until there is an answer, as programs do: each of the API's own calls is interrupted once, too."""
    for _ in range(60):
        answer = who.sends(method, path, body, **headers)
        if answer.status < 500:
            break
    return answer
