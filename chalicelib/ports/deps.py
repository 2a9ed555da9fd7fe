"""The outside world as this service needs it: Protocols in our own words, semantics on each method.

`aws/` implements them with boto3, `tests/fakes/` in memory; one contract suite runs on both. Every method may raise
`Transient` (try again) and `AccessDenied`; what else it raises is said on it. All calls may run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import Place
from chalicelib.domain.labs.spec import Limits

if TYPE_CHECKING:
    from chalicelib.domain.core.language import Language
    from chalicelib.domain.core.resources import LedgerEntry
    from chalicelib.domain.core.service_health import Run
    from chalicelib.domain.curfew.rules import CurfewRules
    from chalicelib.domain.identity.accounts import LabAccounts
    from chalicelib.domain.identity.person import Person
    from chalicelib.domain.identity.sessions import Session
    from chalicelib.domain.labs.lab import Lab, Phase
    from chalicelib.domain.labs.spending import MonthCeilings, MonthSum, Scope, SumOf
    from chalicelib.domain.labs.steps import Event, Execution, Step
    from chalicelib.domain.requests.offers import Offers
    from chalicelib.domain.teardown.receipt import Receipt
    from chalicelib.ports.cloud import (
        AccountInventory,
        Dns,
        EventHistory,
        Groups,
        Kubernetes,
        Leftovers,
        Network,
        Quotas,
        Roles,
        Stacks,
    )
    from chalicelib.ports.curfew import Curfew
    from chalicelib.ports.eks import Clusters
    from chalicelib.ports.mail import Mailing
    from chalicelib.ports.people import PersonStore
    from chalicelib.ports.support import Watch
    from chalicelib.ports.user_pool import UserPool

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A page of a list. `cursor` None: this was the last."""

    items: tuple[Item, ...]
    cursor: str | None


@dataclass(frozen=True)
class WholeLab:
    """A lab with its steps in order of their start, its history oldest first, and its receipts in order of taking.

    `instances`: those that stand on its ledger by themselves, such as the work host.
    """

    lab: Lab
    steps: tuple[Step, ...]
    events: tuple[Event, ...]
    receipts: tuple[Receipt, ...]
    instances: tuple[LedgerEntry, ...] = ()


@dataclass(frozen=True)
class Ahead:
    """What a request for a lab is judged by. `rules`: None where administrators never set any; `person`: who asks, if known.

    `before`: the lab that the request's idempotency key stands for; then the person is not read.
    """

    offers: Offers
    rules: CurfewRules | None = None
    person: Person | None = None
    before: Lab | None = None


class Clock(Protocol):
    """The one place that knows what time it is."""

    def now(self) -> datetime:
        """Aware UTC."""


class Store(Protocol):
    """Labs, their steps, events, ledgers and receipts."""

    def create_lab(
        self,
        lab: Lab,
        idempotency_key: str | None,
        body_digest: str,
        now: datetime,
        most: int | None = None,
        most_of_role: int | None = None,
        ceilings: MonthCeilings | None = None,
        known: tuple[Person, Person] | None = None,
    ) -> Lab:
        """Store a new lab, its name's claim, its idempotency key, its owner's count, first event and price in one transaction.

        Returns what is stored; the same owner and key with the same digest returns the lab stored the first time. Raises
        NameTaken (with the other lab's id and owner, whoever it is; the caller of this hides both), IdempotencyConflict (same
        key, other digest), TooManyLabs (the owner has `most` alive, or all sessions of a shared role `most_of_role`; blocked
        ones are not counted), OverBudget (a month's sum would pass its ceiling). `known`: a person, and the same one with the
        identity that they came by, which is saved with the lab; not if others save them in between.
        """

    def look_ahead(self, owner: str, idempotency_key: str | None, body_digest: str, now: datetime) -> Ahead:
        """All that a request of this owner's is judged by, in one read, and one more for the lab that its key stands for.

        An idempotency key is remembered for seven days. Strongly consistent. Raises IdempotencyConflict.
        """

    def load_lab(self, lab_id: str) -> Lab:
        """Strongly consistent. Raises LabNotFound."""

    def change_lab(
        self,
        lab_id: str,
        change: Callable[[Lab], Lab],
        seen: Lab | None = None,
        ceilings: MonthCeilings | None = None,
    ) -> Lab:
        """Load, apply `change`, save if nobody saved in between, else again (bounded); return what was saved.

        `seen`: the lab as it was loaded before; while it still is so, nothing is read.
        `change` may run several times; returning its argument unchanged saves nothing. A change into an OVER phase
        frees the lab's name in the same transaction. The months' sums follow the lab with every save; with `ceilings` a
        change that costs more is refused (OverBudget). Raises LabNotFound, StaleLab when always beaten.
        """

    def month_sums(self, month: str, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        """What labs cost in a month such as 2026-11, reserved or spent, by person, role or account: the amounts of `spending`.

        The installation's is under "". Strongly consistent; reads only sums.
        """

    def month_people(self, months: Sequence[str]) -> Mapping[str, tuple[MonthSum, ...]]:
        """The sums of neighbouring months by person, with the identities that each has labs by; all in one read of only sums."""

    def sums_at(self, wanted: Sequence[SumOf]) -> Mapping[SumOf, Mapping[str, int]]:
        """These of `month_sums`, in one read, strongly consistent; nothing in one that is not there."""

    def month_page(self, month: str, scope: Scope, limit: int, cursor: str | None) -> Page[MonthSum]:
        """A page of a month's sums by whose they are; reads what it gives. `cursor` is a former page's; InvalidRequest if not."""

    def month_told(self, month: str) -> frozenset[str]:
        """Whose mails about a month were sent."""

    def claim_month_mail(self, month: str, whose: str, now: datetime) -> bool:
        """Whether this run may send it: it was not sent, and nobody has claimed it in the last five minutes."""

    def note_month_told(self, month: str, whose: str, now: datetime) -> None:
        """It was sent."""

    def list_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """Newest first. `owner` None: everyone's. `phases` empty: all. `cursor` is a former page's; InvalidRequest if not."""

    def all_labs(self, owner: str | None, phases: Sequence[Phase]) -> Iterator[Lab]:
        """As `list_labs`, to the end, each item read once."""

    def look_at_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """As `list_labs`, in one question whatever was deleted: a page may be short, or empty, and lead on by its cursor."""

    def labs_due(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Ids of the labs whose due_at is not after `now`, oldest first. Reads only what is due, and no lab itself."""

    def record_step(self, lab_id: str, step: Step) -> None:
        """Write or overwrite the step with this workflow, run and name."""

    def steps(self, lab_id: str) -> tuple[Step, ...]:
        """All steps of all runs, in order of their start."""

    def add_event(self, lab_id: str, event: Event) -> None:
        """Append one line of history; the same event twice is one line."""

    def events(self, lab_id: str, limit: int, cursor: str | None) -> Page[Event]:
        """Oldest first."""

    def record(self, lab_id: str, entry: LedgerEntry) -> None:
        """Write or overwrite the ledger entry of this resource (its ARN is its key)."""

    def ledger(self, lab_id: str) -> tuple[LedgerEntry, ...]:
        """Every entry, strongly consistent, in order of recording."""

    def note_before(self, lab_id: str, arns: frozenset[str]) -> None:
        """Keep what bore the lab's name before it began. Written once: a later call changes nothing."""

    def before(self, lab_id: str) -> frozenset[str] | None:
        """What bore the lab's name before it began; None when nobody looked."""

    def put_receipt(self, lab_id: str, receipt: Receipt) -> None:
        """Write or overwrite the receipt of this look."""

    def receipts(self, lab_id: str) -> tuple[Receipt, ...]:
        """In order of taking."""

    def expire(self, lab_id: str, at: datetime | None) -> None:
        """Let all that is kept of a lab that is over go at `at`, or stay after all (None). Later records are not included."""

    def rewrite(self, lab_id: str, change: Callable[[str], str]) -> None:
        """Change every text that is kept of a lab that is over: of itself, its history, its ledger and its receipts."""

    def note_run(self, run: Run) -> None:
        """Keep that a workflow which runs by itself came to its end: the last one of each."""

    def offers(self) -> Offers:
        """What administrators last said that labs are offered, strongly consistent; the usual where they never did."""

    def change_offers(self, change: Callable[[Offers], Offers]) -> Offers:
        """Load, change, save if nobody saved in between, else again (bounded); return what was saved. Raises StaleLab."""

    def runs(self) -> tuple[Run, ...]:
        """The last run of each workflow, strongly consistent."""

    def put_session(self, hashed: str, session: Session) -> None:
        """Keep a browser's session under the hash of its token until its end, and some time longer."""

    def session(self, hashed: str) -> Session | None:
        """What is kept under this hash, strongly consistent; one that has ended may still be there."""

    def end_session(self, hashed: str) -> None:
        """Forget it; absent is fine."""

    def speak_in_sessions(self, whose: str, language: Language, now: datetime) -> None:
        """Set the language of the sessions of this identity's key that have not ended; one that ends meanwhile stays ended."""

    def claim(self, what: str, by: str, now: datetime, until: datetime) -> bool:
        """Whether `by` is the one to do `what` until then: nobody else's claim is good `now`. Its own it may renew."""

    def whole_lab(self, lab_id: str) -> WholeLab:
        """A lab with its steps, history and receipts in one query, strongly consistent. Raises LabNotFound."""


class Workflows(Protocol):
    """Step Functions."""

    def start(self, workflow: str, execution_name: str, payload: Mapping[str, object]) -> None:
        """Start a workflow by its module's name, such as `provision`. The same name again is no second start and no error."""

    def execution(self, workflow: str, execution_name: str) -> Execution:
        """How that execution stands. Just started, it may be ABSENT for a moment."""


@dataclass(frozen=True)
class Cloud:
    """One account's one region."""

    stacks: Stacks
    clusters: Clusters
    network: Network
    dns: Dns
    roles: Roles
    leftovers: Leftovers
    inventory: AccountInventory
    kubernetes: Kubernetes
    groups: Groups
    history: EventHistory
    quotas: Quotas


@dataclass(frozen=True)
class Deps:
    """Everything a use case or a workflow step needs. `cloud(place)` is cheap to call; `new_id()` is a fresh lab id.

    `mail`: None where the installation names no sender: everything goes to topics then.
    `user_pool`: by which browsers sign in; None where they don't.
    """

    store: Store
    workflows: Workflows
    cloud: Callable[[Place], Cloud]
    clock: Clock
    new_id: Callable[[], str]
    watch: Watch
    curfew: Curfew
    people: PersonStore
    limits: Limits = field(default_factory=Limits)
    mail: Mailing | None = None
    user_pool: UserPool | None = None

    def lab_accounts(self) -> LabAccounts:
        """Where labs may be, as the registry has it now. Raises Transient."""
        from chalicelib.domain.identity.accounts import lab_accounts

        return lab_accounts(self.watch.home, self.curfew.regions, self.watch.store.registrations())
