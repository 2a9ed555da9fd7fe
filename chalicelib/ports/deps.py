"""The interfaces to the outside world: Protocols in the terms of this service, with the semantics on each method.

`aws/` implements them with boto3, `tests/fakes/` in memory; one contract suite runs on both. Every method may raise
`Transient` (try again) and `AccessDenied`; its docstring names its other errors. All calls may run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.place import Place
from chalicelib.domain.labs.spec import Limits

if TYPE_CHECKING:
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
        Clusters,
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
    from chalicelib.ports.mail import Mailing, PostStore
    from chalicelib.ports.people import PersonStore, UserPool
    from chalicelib.ports.support import Watch

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A page of a list. `cursor` None: this was the last."""

    items: tuple[Item, ...]
    cursor: str | None


@dataclass(frozen=True)
class WholeLab:
    """A lab with its steps in order of their start, its history oldest first, and its receipts in order of taking.

    `instances`: the EC2 instances on its ledger, such as the work host.
    """

    lab: Lab
    steps: tuple[Step, ...]
    events: tuple[Event, ...]
    receipts: tuple[Receipt, ...]
    instances: tuple[LedgerEntry, ...] = ()


@dataclass(frozen=True)
class Ahead:
    """The records by which a request for a lab is judged. `rules`: None if never set; `person`: the requester, if known.

    `before`: the lab that an earlier request with this idempotency key made; the person is not read then.
    """

    offers: Offers
    rules: CurfewRules | None = None
    person: Person | None = None
    before: Lab | None = None


@dataclass(frozen=True)
class NewLabLimits:
    """The limits that a new lab is stored within: labs alive of its owner, of a shared role, and the months' ceilings."""

    of_owner: int | None = None
    of_role: int | None = None
    ceilings: MonthCeilings | None = None


class Clock(Protocol):
    """The only source of the current time."""

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
        limits: NewLabLimits | None = None,
        known: tuple[Person, Person] | None = None,
    ) -> Lab:
        """Store a new lab, its name's claim, its idempotency key, its owner's count, first event and price in one transaction.

        Returns the stored lab. The same owner, key and digest return the lab of the first call. Raises NameTaken (with the id and
        owner of the other lab; the caller hides them from strangers), IdempotencyConflict (same key, other digest), TooManyLabs
        (the owner, or all sessions of a shared role, have as many labs alive as `limits` allows; blocked labs do not count),
        OverBudget (a month's sum would pass its ceiling). `known`: a person before and after they got the identity that they
        came by; it is saved with the lab, unless others save the person in between.
        """

    def look_ahead(self, owner: str, idempotency_key: str | None, body_digest: str, now: datetime) -> Ahead:
        """Read the records by which a request of this owner is judged: one read, and one more for the lab of its key.

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
        """Load, apply `change`, save if nobody saved in between, else again (bounded); return the saved lab.

        `seen`: the lab as loaded before; if it is unchanged, nothing is read. `change` may run several times; if it returns its
        argument, nothing is saved. A change into an OVER phase frees the lab's name in the same transaction. Every save updates
        the months' sums; with `ceilings` a change that costs more is refused (OverBudget). Raises LabNotFound, and StaleLab
        if other writers always come first.
        """

    def month_sums(self, month: str, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        """The costs of labs in a month such as 2026-11, reserved or spent, by person, role or account; names as in `spending`.

        The key of the installation is "". Strongly consistent; reads only sums.
        """

    def month_people(self, months: Sequence[str]) -> Mapping[str, tuple[MonthSum, ...]]:
        """The sums of neighbouring months by person, with the identities of each that own labs. One read of sums only."""

    def sums_at(self, wanted: Sequence[SumOf]) -> Mapping[SumOf, Mapping[str, int]]:
        """These of `month_sums`, in one strongly consistent read; a missing sum is empty."""

    def month_page(self, month: str, scope: Scope, limit: int, cursor: str | None) -> Page[MonthSum]:
        """A page of a month's sums by name; reads no more than the page. Raises InvalidRequest on a `cursor` of another list."""

    def month_told(self, month: str) -> frozenset[str]:
        """The recipients to whom mails about a month were sent."""

    def note_month_told(self, month: str, whose: str, now: datetime) -> None:
        """Note that the mail was sent."""

    def list_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """Newest first. `owner` None: everyone's. `phases` empty: all. `cursor` is a former page's; InvalidRequest if not."""

    def all_labs(self, owner: str | None, phases: Sequence[Phase]) -> Iterator[Lab]:
        """As `list_labs`, to the end, each item read once."""

    def look_at_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """As `list_labs`, in one query: a page may be short or empty and still have a cursor."""

    def labs_due(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Ids of the labs whose due_at is not after `now`, oldest first. Reads only the index of due labs."""

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
        """Keep the ARNs of resources that bore the lab's name before it began. A later call changes nothing."""

    def before(self, lab_id: str) -> frozenset[str] | None:
        """The ARNs of resources that bore the lab's name before it began; None if they were never listed."""

    def put_receipt(self, lab_id: str, receipt: Receipt) -> None:
        """Write or overwrite the receipt of this look."""

    def receipts(self, lab_id: str) -> tuple[Receipt, ...]:
        """In order of taking."""

    def expire(self, lab_id: str, at: datetime | None) -> None:
        """Let all records of a lab that is over expire at `at`, or stay (None). Later records are not included."""

    def rewrite(self, lab_id: str, change: Callable[[str], str]) -> None:
        """Change every text in the records of a lab that is over: the lab, its history, its ledger and its receipts."""

    def note_run(self, run: Run) -> None:
        """Keep the end of a scheduled workflow's run, in the place of its run before."""

    def offers(self) -> Offers:
        """The list of offers as administrators last set it, strongly consistent; the default list if they never did."""

    def change_offers(self, change: Callable[[Offers], Offers]) -> Offers:
        """Load, change, save if nobody saved in between, else again (bounded); return the saved list. Raises StaleLab."""

    def runs(self) -> tuple[Run, ...]:
        """The last run of each workflow, strongly consistent."""

    def put_session(self, hashed: str, session: Session) -> None:
        """Keep a browser's session under the hash of its token until its end, and some time longer."""

    def session(self, hashed: str) -> Session | None:
        """The session under this hash, strongly consistent; an ended one may still be there."""

    def end_session(self, hashed: str) -> None:
        """Delete it; absent is fine."""

    def speak_in_sessions(self, whose: str, language: Language, now: datetime) -> None:
        """Set the language of the open sessions of an identity's key; a session that ends meanwhile stays ended."""

    def claim(self, what: str, by: str, now: datetime, until: datetime) -> bool:
        """Claim the act `what` for `by` until `until`; return False while somebody else's claim lasts. `by` may renew its claim."""

    def whole_lab(self, lab_id: str) -> WholeLab:
        """A lab with its steps, history and receipts in one query, strongly consistent. Raises LabNotFound."""


class Workflows(Protocol):
    """Step Functions."""

    def start(self, workflow: str, execution_name: str, payload: Mapping[str, object]) -> None:
        """Start a workflow by its module's name, such as `provision`. The same name again is no second start and no error."""

    def execution(self, workflow: str, execution_name: str) -> Execution:
        """The state of that execution. Just after its start, it may be ABSENT for a moment."""


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

    `posts`: the pending messages. `mail`: None if the installation has no sender; all messages go to topics then.
    `user_pool`: None if browsers can't sign in.
    `language`: of topics, and of people who chose none.
    """

    store: Store
    workflows: Workflows
    cloud: Callable[[Place], Cloud]
    clock: Clock
    new_id: Callable[[], str]
    watch: Watch
    curfew: Curfew
    people: PersonStore
    posts: PostStore
    limits: Limits = field(default_factory=Limits)
    mail: Mailing | None = None
    user_pool: UserPool | None = None
    language: Language = Language.EN

    def lab_accounts(self) -> LabAccounts:
        """The accounts and regions that take labs, from the registry. Raises Transient."""
        from chalicelib.domain.identity.accounts import lab_accounts

        return lab_accounts(self.watch.home, self.curfew.regions, self.watch.store.registrations())
