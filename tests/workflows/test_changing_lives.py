"""A ready lab that is changed, hibernated and woken in any order, with troubles: its record is true, it can be changed, and
ends.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors.tree import AwsUnavailable, EkslabError, StaleLab, Throttled
from chalicelib.domain.labs.lab import Change, Phase
from chalicelib.services.labs import commands, hibernation
from tests.examples import examples
from tests.fakes import a_caller, a_lab, a_nodegroup, a_spec
from tests.workflows.machine import LambdaDied
from tests.workflows.theatre import Theatre

GROUPS = ("first", "second")
OPERATIONS = (
    "update_endpoint", "update_state", "scale_nodegroup", "nodegroup_update_state", "resize_nodegroup", "nodegroup",
    "nodegroups", "clusters.describe", "grant_access", "revoke_access", "running_nodes", "workflows.start", "execution",
    "load_lab", "change_lab", "record_step", "add_event", "record", "ledger",
)  # fmt: skip
ERRORS = [AwsUnavailable("no answer"), Throttled("slow down"), StaleLab("someone was faster")]
CHANGES = st.builds(
    Change,
    st.sampled_from([None, "public", "private", "public-and-private"]),
    nodes=st.dictionaries(st.sampled_from(GROUPS), st.integers(0, 5), max_size=2),
)
ACTS = st.one_of(
    st.tuples(st.just("change"), CHANGES),
    st.tuples(st.sampled_from(["hibernate", "wake", "fail an update"]), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([2, 20, 240])),
    st.tuples(st.just("trouble"), st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(ERRORS), st.booleans())),
    st.tuples(st.just("die"), st.tuples(st.integers(0, 25), st.booleans())),
)


class Life:
    """One lab, and its troubles."""

    def __init__(self) -> None:
        self.theatre, self.count, self.deaths = Theatre(), 0, set[tuple[int, bool]]()
        spec = a_spec(nodegroups=tuple(a_nodegroup(name=name) for name in GROUPS))
        self.theatre.request(a_lab(spec=spec))
        assert self.theatre.play() == "Ready"
        self.theatre.before, self.theatre.after = self.before, self.after

    def before(self, function: str) -> None:
        self.count += 1
        self.after(function, after=False)

    def after(self, function: str, after: bool = True) -> None:
        if (self.count, after) in self.deaths:
            raise LambdaDied

    def act(self, what: str, how: Any) -> None:
        """One event; a request that is invalid at the moment is refused."""
        theatre, world = self.theatre, self.theatre.world
        asked = (world.deps, a_caller(), theatre.lab_id)
        match what:
            case "change":
                commands.change_lab(*asked, how, world.clock.now())
            case "hibernate":
                hibernation.hibernate_lab(*asked, world.clock.now())
            case "wake":
                hibernation.wake_lab(*asked, world.clock.now())
            case "fail an update":
                world.clusters.failing_updates.append("InsufficientFreeAddresses: no room")
            case "wait":
                theatre.later(minutes=how)
            case "trouble":
                world.fail(how[0], how[1], after=how[2])
            case "die":
                self.deaths.add((self.count + how[0], how[1]))

    def calm(self) -> None:
        """End the troubles, and give the schedule time to repair their effects."""
        self.theatre.world.account.troubles.clear()
        self.theatre.world.clusters.failing_updates.clear()
        self.deaths.clear()
        for _ in range(14):
            self.theatre.later(minutes=20)
        if self.theatre.lab.phase is Phase.HIBERNATED:
            self.act("wake", None)
            self.theatre.play()

    def nodes(self) -> tuple[dict[str, int], dict[str, int]]:
        """The lab's record, and the state in EKS."""
        said = {group.name: group.desired for group in self.theatre.lab.spec.nodegroups}
        groups = self.theatre.world.clusters.clusters["myeks"].nodegroups
        return said, {name: record.state.desired for name, record in groups.items()}


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(ACTS, max_size=12))
@example([("fail an update", None), ("change", Change(nodes={"first": 0, "second": 0})), ("hibernate", None)])
def test_whatever_befalls_it_a_lab_has_what_it_says_can_be_changed_and_goes(acts: list[tuple[str, Any]]) -> None:
    life = Life()
    theatre = life.theatre
    for what, how in acts:
        with suppress(EkslabError):
            life.act(what, how)
        with suppress(EkslabError):
            theatre.play()
    life.calm()
    assert (theatre.lab.phase, theatre.lab.hibernation) == (Phase.READY, None)
    said, had = life.nodes()
    assert said == had

    life.act("change", Change("private", nodes={"first": 4, "second": 1}))
    assert theatre.play() == "Changed"
    assert theatre.lab.reason is None
    assert life.nodes() == ({"first": 4, "second": 1},) * 2

    commands.release_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}
