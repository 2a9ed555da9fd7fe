"""A lab whose end starts between reading and changing it: a keep or extension is then refused, and nothing is blocked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.errors.tree import NotKept, WrongPhase
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.services.curfew import keep
from chalicelib.services.labs import lease
from tests.api.curfew_world import LAB, a_link, a_world
from tests.api.http import Http
from tests.fakes import NOW, a_caller
from tests.fakes.builders import in_phase


@dataclass
class OvertakenStore:
    """A store in which a curfew run starts to end the lab as soon as it was loaded."""

    store: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def load_lab(self, lab_id: str) -> Lab:
        lab: Lab = self.store.load_lab(lab_id)
        self.store.change_lab(
            lab_id, lambda stored: replace(in_phase(stored, Phase.RELEASING, NOW), run=stored.run + 1)
        )
        return lab


@pytest.fixture
def http() -> Http:
    http = a_world()
    http.world.deps = replace(http.world.deps, store=OvertakenStore(http.world.store))
    return http


def test_a_link_pressed_too_late_keeps_nothing_and_says_so(http: Http) -> None:
    token = a_link(http).removeprefix("/keep/")
    with pytest.raises(NotKept, match="too late"):
        keep.keep_by_link(http.world.deps, token, NOW)
    assert_untouched(http)


def test_a_lease_extended_too_late_is_refused(http: Http) -> None:
    with pytest.raises(WrongPhase):
        lease.extend_lab(http.world.deps, a_caller(), LAB, ExtensionRequest(hours=4), NOW)
    assert_untouched(http)


def assert_untouched(http: Http) -> None:
    lab, before = http.world.store.labs[LAB], a_world().world.store.labs[LAB]
    assert (lab.phase, lab.kept_until, lab.lease_ends_at) == (Phase.RELEASING, None, before.lease_ends_at)
    assert http.world.store.events(LAB, 10, None).items == ()
