"""The fakes put together: one account, one region, one clock."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from chalicelib.ports import Cloud, Deps, Limits
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.curfew import FakeCurfew, make_curfew
from tests.fakes.leftovers import FakeCensus, FakeLeftovers
from tests.fakes.places import FakeDns, FakeKubernetes, FakeNetwork, FakeRoles
from tests.fakes.stacks import FakeStacks
from tests.fakes.store import FakeStore
from tests.fakes.watch import FakeWatch, make_watch
from tests.fakes.workflows import FakeWorkflows


@dataclass
class FakeWorld:
    """Every fake by name, and `deps` over them. `fail` and `lose_answer` are the account's."""

    account: Account
    clock: FakeClock
    store: FakeStore
    workflows: FakeWorkflows
    stacks: FakeStacks
    clusters: FakeClusters
    network: FakeNetwork
    dns: FakeDns
    roles: FakeRoles
    leftovers: FakeLeftovers
    census: FakeCensus
    kubernetes: FakeKubernetes
    watch: FakeWatch
    curfew: FakeCurfew
    deps: Deps

    def fail(self, operation: str, error: Exception, times: int = 1, after: bool = False) -> None:
        """Plan failures of the next calls of an operation."""
        self.account.fail(operation, error, times, after)

    def lose_answer(self, operation: str) -> None:
        """Let the next call act, and lose its answer."""
        self.account.lose_answer(operation)


def make_deps(limits: Limits | None = None) -> FakeWorld:
    """A fresh, empty world; `.deps` is what steps and use cases take."""
    clock = FakeClock()
    account = Account(clock)
    store, workflows = FakeStore(account), FakeWorkflows(account)
    cloud = Cloud(
        FakeStacks(account),
        FakeClusters(account),
        FakeNetwork(account),
        FakeDns(account),
        FakeRoles(account),
        FakeLeftovers(account),
        FakeCensus(account),
        FakeKubernetes(account),
    )
    watch, curfew, count = make_watch(account=account), make_curfew(account, store), itertools.count(1)
    deps = Deps(
        store,
        workflows,
        lambda place: cloud,
        clock,
        lambda: f"lab-{next(count):08d}",
        watch.watch,
        curfew.curfew,
        limits or Limits(),
    )
    return FakeWorld(
        account=account,
        clock=clock,
        store=store,
        workflows=workflows,
        watch=watch,
        curfew=curfew,
        deps=deps,
        **{name: getattr(cloud, name) for name in cloud.__slots__},
    )
