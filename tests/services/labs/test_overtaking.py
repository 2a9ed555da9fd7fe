"""Each command of a person against each other, and against the curfew run, at every point between reading the lab and changing
it.

For any interleaving: one of the two is done and the other is done or refused, neither is half done, and a person's successful
command is never undone by the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.labs.lab import Change, Lab, Phase
from chalicelib.services.curfew import keep
from chalicelib.services.labs import commands, hibernation, lease
from tests.fakes import NOW, FakeWorld, a_caller
from tests.workflows.night.nights import Nights

ADMIN = replace(a_caller(), is_admin=True)
Act = Callable[[FakeWorld, str], Any]


def extend(world: FakeWorld, lab_id: str) -> Any:
    return lease.extend_lab(world.deps, ADMIN, lab_id, ExtensionRequest(hours=4), world.clock.now())


def change(world: FakeWorld, lab_id: str) -> Any:
    return commands.change_lab(world.deps, ADMIN, lab_id, Change("private"), world.clock.now())


def hibernate(world: FakeWorld, lab_id: str) -> Any:
    return hibernation.hibernate_lab(world.deps, ADMIN, lab_id, world.clock.now())


def delete(world: FakeWorld, lab_id: str) -> Any:
    return commands.release_lab(world.deps, ADMIN, lab_id, world.clock.now())


def protect(world: FakeWorld, lab_id: str) -> Any:
    until = world.clock.now() + timedelta(days=1)
    return lease.protect_lab(world.deps, ADMIN, lab_id, until, "a demonstration", world.clock.now())


def keep_it(world: FakeWorld, lab_id: str) -> Any:
    return keep.keep_lab(world.deps, ADMIN, lab_id, world.clock.now())


ACTS: dict[str, Act] = {
    "extend": extend,
    "change": change,
    "hibernate": hibernate,
    "delete": delete,
    "protect": protect,
}
#: The numbers of calls of the first one after which the second one runs.
SEAMS = ("load_lab", "rules", "change_lab", "add_event", "start")
PHASES = {"change": Phase.UPDATING, "hibernate": Phase.HIBERNATING, "delete": Phase.RELEASING}


def tried(act: Act, world: FakeWorld, lab_id: str) -> bool:
    try:
        act(world, lab_id)
    except EkslabError:
        return False
    return True


def is_done(name: str, before: Lab, lab: Lab) -> bool:
    match name:
        case "extend":
            return lab.lease_ends_at > before.lease_ends_at
        case "protect":
            return lab.protection is not None
        case _:
            return lab.phase is PHASES[name]


@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize(("first", "second"), [*itertools.product(ACTS, ACTS)])
def test_of_two_words_at_once_none_is_lost_and_none_half_done(first: str, second: str, seam: str) -> None:
    nights = Nights()
    before, world, heard = nights.add("lab-a", lease_ends_at=NOW + timedelta(hours=9)), nights.world, dict[str, bool]()

    def meanwhile() -> None:
        heard["second"] = tried(ACTS[second], world, "lab-a")

    world.account.hooks[seam] = meanwhile
    heard["first"] = tried(ACTS[first], world, "lab-a")
    lab, started = nights.lab("lab-a"), [flow for flow, _, _ in world.workflows.started]
    done = [name for name, key in ((first, "first"), (second, "second")) if heard.get(key)]
    assert done, "at least one is done"
    for name in done:
        ended_by_delete = "delete" in done and lab.phase is Phase.RELEASING
        assert is_done(name, before, lab) or ended_by_delete, f"{name} was answered with success and is undone"
    phases = {PHASES[name] for name in done if name in PHASES}
    assert lab.phase in (phases or {Phase.READY})
    assert len(started) == len(set(started))
    assert lab.phase is Phase.READY or started, "what was moved is worked on"


@pytest.mark.parametrize("seam", ["load_lab", "line", "change_status", "describe", "change_lab", "add_event", "start"])
@pytest.mark.parametrize("word", [*ACTS, "keep"])
def test_a_word_at_the_moment_of_curfew_is_kept_or_refused(word: str, seam: str) -> None:
    """The lab is planned and warned about, and its owner's command comes while the curfew run acts."""
    nights = Nights()
    nights.world.curfew.store.put_rules(replace(nights.world.deps.curfew.usual, max_percent=100))
    before, heard = nights.add("lab-a", lease_ends_at=NOW + timedelta(hours=9)), dict[str, bool]()
    nights.hours(NOW, 3)
    assert nights.lab("lab-a").planned is not None
    curfew = NOW + timedelta(hours=3)
    nights.world.clock.instant = curfew

    def meanwhile() -> None:
        heard["word"] = tried({**ACTS, "keep": keep_it}[word], nights.world, "lab-a")

    nights.world.account.hooks[seam] = meanwhile
    nights.run_hour(curfew, settle=False)
    lab = nights.lab("lab-a")
    if heard.get("word") and word in ("extend", "protect", "keep"):
        assert lab.phase is Phase.READY, "somebody was told that the lab is spared, and it ends"
        assert word == "keep" or is_done(word, before, lab)
    if heard.get("word") and word in PHASES:
        assert lab.phase in (PHASES[word], Phase.RELEASING)
    started = [name for _, name, _ in nights.world.workflows.started]
    assert len(started) == len(set(started))
    assert lab.phase is Phase.READY or started
