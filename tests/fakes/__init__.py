"""The fakes of all ports over one shared account in memory, with settable delays and failures.

`make_deps()` creates a fresh world; `world.account` holds its resources, `world.fail(...)` plans failures. `make_watch()` is
the support watch's; builders of its nouns are in `fleet_builders.py`.
"""

from tests.fakes.account import Account
from tests.fakes.builders import NOW, OWNER, a_calendar, a_caller, a_lab, a_network, a_nodegroup, a_spec
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.fleet import FakeFleet, FakeFleets
from tests.fakes.fleet_store import FakeFleetStore
from tests.fakes.leftovers import FakeCensus, FakeLeftovers
from tests.fakes.notifier import FakeNotifier
from tests.fakes.places import FakeDns, FakeKubernetes, FakeNetwork, FakeRoles
from tests.fakes.stacks import FakeStacks
from tests.fakes.store import FakeStore
from tests.fakes.watch import FakeWatch, make_watch
from tests.fakes.workflows import FakeWorkflows
from tests.fakes.world import FakeWorld, make_deps

__all__ = [
    "NOW",
    "OWNER",
    "Account",
    "FakeCensus",
    "FakeClock",
    "FakeClusters",
    "FakeDns",
    "FakeFleet",
    "FakeFleetStore",
    "FakeFleets",
    "FakeKubernetes",
    "FakeLeftovers",
    "FakeNetwork",
    "FakeNotifier",
    "FakeRoles",
    "FakeStacks",
    "FakeStore",
    "FakeWatch",
    "FakeWorkflows",
    "FakeWorld",
    "a_calendar",
    "a_caller",
    "a_lab",
    "a_network",
    "a_nodegroup",
    "a_spec",
    "make_deps",
    "make_watch",
]
