"""The support watch's fakes put together: one home account, any number of others, one clock."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.ports.support import Watch
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.fleet import FakeFleets
from tests.fakes.fleet_store import FakeFleetStore
from tests.fakes.notifier import FakeNotifier


@dataclass
class FakeWatch:
    """Every fake by name, and `watch` over them. `fail` and `lose_answer` are the account's."""

    account: Account
    clock: FakeClock
    fleets: FakeFleets
    store: FakeFleetStore
    notifier: FakeNotifier
    watch: Watch

    def fail(self, operation: str, error: Exception, times: int = 1, after: bool = False) -> None:
        """Plan failures of the next calls of an operation."""
        self.account.fail(operation, error, times, after)

    def lose_answer(self, operation: str) -> None:
        """Let the next call take effect, and lose its answer."""
        self.account.lose_answer(operation)


def make_watch(administrators: str | None = "admins@example.com", account: Account | None = None) -> FakeWatch:
    """A fresh, empty world; steps and use cases take its `.watch`. `account`: to share one with `make_deps()`."""
    account = account or Account(FakeClock())
    fleets, store, notifier = FakeFleets(account), FakeFleetStore(account), FakeNotifier(account)
    watch = Watch(fleets, store, notifier, home=account.id, administrators=administrators)
    return FakeWatch(account, account.clock, fleets, store, notifier, watch)
