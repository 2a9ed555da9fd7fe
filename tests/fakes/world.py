"""The fakes put together: one clock, one account in one region, and any number of others that it may join."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, fields
from typing import Any

from chalicelib.domain.core.place import Place
from chalicelib.domain.errors.tree import AccessDenied
from chalicelib.domain.labs.spec import Limits
from chalicelib.ports.deps import Cloud, Deps
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.curfew import FakeCurfew, make_curfew
from tests.fakes.leftovers import FakeCensus, FakeLeftovers
from tests.fakes.people import FakePeople
from tests.fakes.places import FakeDns, FakeGroups, FakeHistory, FakeKubernetes, FakeNetwork, FakeQuotas, FakeRoles
from tests.fakes.posts import FakePosts
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
    inventory: FakeCensus
    kubernetes: FakeKubernetes
    groups: FakeGroups
    history: FakeHistory
    quotas: FakeQuotas
    watch: FakeWatch
    curfew: FakeCurfew
    people: FakePeople
    posts: FakePosts
    deps: Deps
    places: Places

    def join(self, account: str, region: str) -> Account:
        """Add another account's region with the member role; return its resources."""
        there = Account(self.clock, account, region)
        self.places.open[Place(account, region)] = cloud_over(there)
        return there

    def shut(self, account: str) -> None:
        """Remove the account's member role."""
        for place in [place for place in self.places.open if place.account == account]:
            del self.places.open[place]

    def fail(self, operation: str, error: Exception, times: int = 1, after: bool = False) -> None:
        """Plan failures of the next calls of an operation."""
        self.account.fail(operation, error, times, after)

    def lose_answer(self, operation: str) -> None:
        """Let the next call take effect, and lose its answer."""
        self.account.lose_answer(operation)


@dataclass
class Places:
    """The places with access for the service; the home account always has it, in every region."""

    home: str
    cloud: Cloud
    open: dict[Place, Cloud] = field(default_factory=dict)

    def __call__(self, place: Place) -> Cloud:
        if place.account == self.home:
            return self.cloud
        shut: Any = _Shut(place.account)
        return self.open.get(place) or Cloud(**dict.fromkeys((field.name for field in fields(Cloud)), shut))


class _Shut:
    """A port of an account whose role is gone: every call fails when it assumes the role."""

    def __init__(self, account: str) -> None:
        self._account = account

    def __getattr__(self, name: str) -> Any:
        def refuse(*_args: Any, **_named: Any) -> None:
            role = f"arn:aws:iam::{self._account}:role/ekslab-member-read"
            message = f"User: s is not authorized to perform: sts:AssumeRole on resource: {role}"
            raise AccessDenied("sts:AssumeRole", "AccessDenied", message)

        return refuse


def cloud_over(account: Account) -> Cloud:
    """Every port over one account in one region."""
    return Cloud(
        FakeStacks(account),
        FakeClusters(account),
        FakeNetwork(account),
        FakeDns(account),
        FakeRoles(account),
        FakeLeftovers(account),
        FakeCensus(account),
        FakeKubernetes(account),
        FakeGroups(account),
        FakeHistory(account),
        FakeQuotas(account),
    )


def make_deps(limits: Limits | None = None) -> FakeWorld:
    """A fresh, empty world; steps and use cases take its `.deps`."""
    clock = FakeClock()
    account = Account(clock)
    store, workflows = FakeStore(account), FakeWorkflows(account)
    cloud = cloud_over(account)
    places, people = Places(account.id, cloud), FakePeople(account)
    store.person_of = lambda key: people.people.get(people.claims.get(key, ""))
    store.save_people = people.save_people
    watch, curfew, count = make_watch(account=account), make_curfew(account, store), itertools.count(1)
    posts = FakePosts(account)
    deps = Deps(
        store,
        workflows,
        places,
        clock,
        lambda: f"lab-{next(count):08d}",
        watch.watch,
        curfew.curfew,
        people,
        posts,
        limits or Limits(),
    )
    return FakeWorld(
        account=account,
        clock=clock,
        store=store,
        workflows=workflows,
        watch=watch,
        curfew=curfew,
        people=people,
        posts=posts,
        deps=deps,
        places=places,
        **{field.name: getattr(cloud, field.name) for field in fields(cloud)},
    )
