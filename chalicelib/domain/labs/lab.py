"""A lab's record: the phases it goes through, and the permissions on it.

AWAITING_APPROVAL → REQUESTED, or REFUSED, where an approver must agree to the price first.
REQUESTED → PROVISIONING → READY → RELEASING → DELETED, with PROVISIONING → ROLLING_BACK → FAILED when a step fails,
READY ⇄ UPDATING, READY → HIBERNATING → HIBERNATED → WAKING → READY, LOST when somebody deleted the cluster by hand (the rest
is deleted after a warning), and BLOCKED when a resource can't be deleted (deleting the lab again tries again).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.names import as_tag_value
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.identity.callers import Caller, counted_as
from chalicelib.domain.labs.meter import Meter
from chalicelib.domain.labs.spec import LabSpec


class Phase(StrEnum):
    """Where a lab is in its life."""

    AWAITING_APPROVAL = "awaiting-approval"
    REQUESTED = "requested"
    PROVISIONING = "provisioning"
    READY = "ready"
    UPDATING = "updating"
    HIBERNATING = "hibernating"
    HIBERNATED = "hibernated"
    WAKING = "waking"
    LOST = "lost"
    RELEASING = "releasing"
    ROLLING_BACK = "rolling-back"
    DELETED = "deleted"
    FAILED = "failed"
    BLOCKED = "blocked"
    REFUSED = "refused"


def phase_said(phase: Phase) -> str:
    """The phase's word, in each language."""
    return Sentence(str(phase))


#: The lab is over and its name is free again.
OVER = frozenset({Phase.DELETED, Phase.FAILED, Phase.REFUSED})
#: Nothing is created yet, or ever: no cluster is this lab's.
UNMADE = frozenset({Phase.AWAITING_APPROVAL, Phase.REFUSED})
ALIVE = tuple(phase for phase in Phase if phase not in OVER)
#: A teardown is running, or has stopped at a resource that it can't delete.
ENDING = frozenset({Phase.RELEASING, Phase.ROLLING_BACK, Phase.BLOCKED})


#: phase -> the phases that may follow it. From every phase a teardown, or its retry (BLOCKED), can be reached.
NEXT_PHASES = {
    Phase.AWAITING_APPROVAL: frozenset({Phase.REQUESTED, Phase.REFUSED}),
    Phase.REQUESTED: frozenset({Phase.PROVISIONING, Phase.ROLLING_BACK, Phase.RELEASING}),
    Phase.PROVISIONING: frozenset({Phase.READY, Phase.ROLLING_BACK, Phase.RELEASING}),
    Phase.READY: frozenset({Phase.UPDATING, Phase.HIBERNATING, Phase.LOST, Phase.RELEASING}),
    Phase.UPDATING: frozenset({Phase.READY, Phase.RELEASING}),
    Phase.HIBERNATING: frozenset({Phase.HIBERNATED, Phase.WAKING, Phase.RELEASING}),
    Phase.HIBERNATED: frozenset({Phase.WAKING, Phase.LOST, Phase.RELEASING}),
    Phase.WAKING: frozenset({Phase.READY, Phase.HIBERNATED, Phase.RELEASING}),
    Phase.LOST: frozenset({Phase.RELEASING}),
    Phase.RELEASING: frozenset({Phase.DELETED, Phase.BLOCKED}),
    Phase.ROLLING_BACK: frozenset({Phase.FAILED, Phase.BLOCKED}),
    Phase.BLOCKED: frozenset({Phase.RELEASING}),
    Phase.DELETED: frozenset({Phase.BLOCKED}),
    Phase.FAILED: frozenset({Phase.BLOCKED}),
    Phase.REFUSED: frozenset(),
}

#: Labs that do not count against a person's limit: those that are over, and those that wait for manual work.
UNCOUNTED = OVER | {Phase.BLOCKED}

#: No workflow runs on the lab. The curfew run, not the five-minute run, handles it when due.
RESTING = frozenset({Phase.READY, Phase.HIBERNATED, Phase.LOST})

#: The tag that all resources of one installation carry.
INSTALLATION_TAG = "ekslab:installation"
#: Phases that cost nothing: nothing is created yet, or everything is proved deleted.
_NOT_PAID = OVER | {Phase.REQUESTED, Phase.AWAITING_APPROVAL}
#: Phases that cost the same as before: nobody knows which parts are deleted until the receipt proves it.
_AS_BEFORE = ENDING | {Phase.LOST}


@dataclass(frozen=True)
class ClusterFacts:
    """Facts that EKS and CloudFormation returned, kept so that teardown never needs to ask the cluster itself.

    `view_role_arn`: the service's role with a read-only access entry; None without one. `created_at`: the cluster's.
    `role_ids`: the stack's roles by name, with their unique ids, which IAM never gives to another role. `subdomain`: where
    external-dns writes for this lab alone, if it was empty when the lab began. `logs_were_there`: the control plane's log group
    existed before the lab. `version`: the Kubernetes version that EKS last returned: people and AWS upgrade clusters.
    `lifted`: the protection that this service removed from the cluster to end the lab.
    """

    arn: str | None = None
    endpoint: str | None = None
    certificate_authority: str | None = None
    oidc_issuer: str | None = None
    cluster_security_group_id: str | None = None
    vpc_id: str | None = None
    stack_id: str | None = None
    stack_outputs: Mapping[str, str] = field(default_factory=dict)
    view_role_arn: str | None = None
    created_at: datetime | None = None
    role_ids: Mapping[str, str] = field(default_factory=dict)
    subdomain: str | None = None
    logs_were_there: bool = False
    version: str | None = None
    lifted: str = ""


@dataclass(frozen=True)
class Change:
    """The changes of a PATCH. None: unchanged. `nodes` maps a node group's name to its desired count."""

    endpoint_access: str | None = None
    allowed_cidrs: tuple[str, ...] | None = None
    nodes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NodegroupSize:
    """The size of a managed node group before the lab hibernated."""

    name: str
    min: int
    desired: int
    max: int


@dataclass(frozen=True)
class Hibernation:
    """Kept from the start of hibernation until waking is verified. `wake_at`: when the schedule wakes the lab."""

    sizes: tuple[NodegroupSize, ...]
    since: datetime
    reason: str
    wake_at: datetime | None = None


@dataclass(frozen=True)
class Protection:
    """An administrator keeps the lab from every curfew and lease end until an instant. A protection always has an end."""

    until: datetime
    by: str
    why: str


@dataclass(frozen=True)
class Approval:
    """A lab that is created only after an approver agrees. `why`: the rule that requires it. `by_approver`: of an approver's lab.

    `told_at`: when approvers were asked. `mail`: the record of the mail that asked; empty without an address. `lost`: how many
    mails bounced. `decided_at`, `decided_by`, `words`: the answer.
    """

    why: str
    expires_at: datetime
    by_approver: bool = False
    told_at: datetime | None = None
    mail: str = ""
    lost: int = 0
    decided_at: datetime | None = None
    decided_by: str = ""
    words: str = ""


@dataclass(frozen=True)
class Planned:
    """Names the lab's entry on a plan (domain/curfew/plan.py), so that one read finds it.

    `lease_ends_at`: the lease's end at planning; if the lease ends later now, its owner extended it and the entry is dropped.
    """

    night: date
    entry_id: str
    at: datetime
    lease_ends_at: datetime | None = None


@dataclass(frozen=True)
class LeaseChange:
    """At `at` the owner or an administrator moved the lease's end to `ends_at`."""

    at: datetime
    ends_at: datetime


#: Changes of the lease that a lab's record keeps.
_LEASE_CHANGES = 10


@dataclass(frozen=True)
class Lab:
    """One lab. `version` is the store's, for optimistic locking; all instants are aware UTC.

    `due_at` is when the scheduled run must look at it next (a start that may have been lost, the lease's end, a
    receipt to take again); None if nothing is due. The curfew run looks at a RESTING lab instead: now, if it has
    just become ready or was changed by a person, else before its next curfew or its lease's end. `run` counts
    executions, so that execution names are deterministic and Step Functions refuses a second start of the same run.

    `account`: the lab's account. `ends_by`: the limit for extensions of the lease. `kept_until`: no
    idleness ends the lab before. `adopted`: made from a cluster of the service without a record. `unsettled`: it is over, and
    its owner is asked daily about its leftovers. `installation`: the service it belongs to, as its tags say.
    `hourly_usd`: its cost an hour at the last look. `lease_changes`: the last ones; an end that neither they
    nor the request explain is damaged data. `meter`: its present and past cost; None for a lab that was never priced.
    `person`: the name for counting and summing, if it differs from the owner's own (`counted_as`).
    `cost_tags`: `key=value` of the tags by which administrators summed costs at the time of the request.
    """

    id: str
    owner: str
    account: str
    spec: LabSpec
    phase: Phase
    created_at: datetime
    phase_since: datetime
    lease_ends_at: datetime
    due_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    responsible: Responsible | None = None
    run: int = 0
    facts: ClusterFacts = ClusterFacts()
    change: Change | None = None
    ends_by: datetime | None = None
    kept_until: datetime | None = None
    protection: Protection | None = None
    hibernation: Hibernation | None = None
    planned: Planned | None = None
    adopted: bool = False
    unsettled: bool = False
    installation: str = ""
    hourly_usd: float | None = None
    lease_changes: tuple[LeaseChange, ...] = ()
    meter: Meter | None = None
    approval: Approval | None = None
    cost_tags: tuple[str, ...] = ()
    person: str = ""
    version: int = 0

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.spec.name

    @property
    def region(self) -> str:
        """The cluster's AWS region."""
        return self.spec.region

    @property
    def counted_as(self) -> str:
        """The person who owns the lab; several identities that were joined at the time of the request count as one."""
        return self.person or counted_as(self.owner)

    @property
    def kubernetes_version(self) -> str:
        """The control plane's version as EKS last returned it; before that, the requested one."""
        return self.facts.version or self.spec.version

    @property
    def begins_at(self) -> datetime:
        """The start of the lease: the request, or its approval."""
        decided_at = self.approval.decided_at if self.approval else None
        return decided_at or self.created_at

    @property
    def place(self) -> Place:
        """The account and region of the lab's resources."""
        return Place(self.account, self.region)

    @property
    def lease_until(self) -> datetime:
        """The lease's end, at the latest `ends_by`."""
        return min(self.lease_ends_at, self.ends_by or self.lease_ends_at)

    @property
    def lasts_until(self) -> datetime:
        """The time at which the lease ends the lab: at its end, but not before the protection ends."""
        return max(self.lease_until, self.protection.until) if self.protection else self.lease_until

    def leased_until(self, ends_at: datetime, now: datetime) -> Lab:
        """The same lab with another lease end, requested `now`."""
        changes = (*self.lease_changes, LeaseChange(now, ends_at))[-_LEASE_CHANGES:]
        return replace(self, lease_ends_at=ends_at, lease_changes=changes)

    def end_foreseen_at(self, instant: datetime) -> datetime:
        """The lease's end as it was known at an instant: by the last change before, else by the lab's request."""
        known = [change.ends_at for change in self.lease_changes if change.at <= instant]
        asked_for = self.created_at + timedelta(hours=self.spec.lease_hours)
        return known[-1] if known else min(asked_for, self.ends_by or asked_for)

    @property
    def stack_name(self) -> str:
        """The name of the lab's CloudFormation stack."""
        return f"ekslab-{self.id}"

    @property
    def txt_owner_id(self) -> str:
        """The external-dns TXT owner id, unique to this lab: it marks the lab's own DNS records."""
        return f"ekslab-{self.id}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every resource of this lab carries."""
        own = {"ekslab:lab-id": self.id, "ekslab:owner": as_tag_value(self.owner), "ekslab:cluster": self.name}
        if self.installation:
            own[INSTALLATION_TAG] = as_tag_value(self.installation)
        if self.ends_by is not None:
            own["ekslab:ends-by"] = f"{self.ends_by:%Y-%m-%dT%H:%M:%SZ}"
        return {**self.spec.tags, **own}

    def tags_with(self, more: Mapping[str, str]) -> dict[str, str]:
        """The lab's tags and `more`, which may override a person's tags but never the lab's own."""
        own = {key: value for key, value in self.tags.items() if key.startswith("ekslab:")}
        return {**self.tags, **more, **own}

    def token(self, purpose: str) -> str:
        """A client request token of at most 64 characters, the same for the same purpose: repeated calls are idempotent."""
        return f"{self.id}-{purpose}"[:64]

    def may_be_seen_by(self, caller: Caller) -> bool:
        """The owner, their team, viewers and administrators see a lab; for everyone else it does not exist."""
        return caller.may_see(self.owner)

    def may_be_changed_by(self, caller: Caller) -> bool:
        """Only the owner and administrators change and end it."""
        return caller.may_change(self.owner)

    def with_facts(self, **facts: Any) -> Lab:
        """The same lab with these facts (fields of ClusterFacts)."""
        return replace(self, facts=replace(self.facts, **facts))

    def moved_to(
        self, phase: Phase, now: datetime, reason: str | None = None, responsible: Responsible | None = None
    ) -> Lab:
        """The same lab in another phase, since `now`. Raises Superseded for a transition that NEXT_PHASES lacks."""
        if phase not in NEXT_PHASES[self.phase]:
            raise Superseded(f"{self.id} is {self.phase}, from which it does not become {phase}.")
        return self._in(phase, now, reason, responsible)

    def reopened(self, now: datetime) -> Lab:
        """The same lab READY again: its record was closed, and its own cluster turned out to be alive. Raises Superseded."""
        if self.phase not in OVER - UNMADE:
            raise Superseded(f"{self.id} is {self.phase}, from which it is not reopened.")
        return self._in(Phase.READY, now, None, None)

    def waiting(self, approval: Approval, now: datetime) -> Lab:
        """The new lab, whose first phase is AWAITING_APPROVAL instead. Raises Superseded for a stored one."""
        if self.phase is not Phase.REQUESTED or self.version:
            raise Superseded(f"{self.id} is {self.phase} already: its approval can't be asked for.")
        return replace(self, phase=Phase.AWAITING_APPROVAL, approval=approval, due_at=now)

    def _in(self, phase: Phase, now: datetime, reason: str | None, responsible: Responsible | None) -> Lab:
        ended, meter = now if phase in OVER else None, self._metered(phase, now)
        return replace(
            self, phase=phase, phase_since=now, ended_at=ended, reason=reason, responsible=responsible, meter=meter
        )

    @property
    def node_counts(self) -> Mapping[str, int]:
        """Each group's desired number of nodes; during a change, the larger of old and new."""
        asked = self.change.nodes if self.change else {}
        return {group.name: max(group.desired, asked.get(group.name, 0)) for group in self.spec.nodegroups}

    def priced(self, fresh: Meter, now: datetime) -> Lab:
        """The same lab at the prices of `fresh` from now on; costs so far stay."""
        spans = self.meter.spans if self.meter else ()
        priced = replace(self, meter=replace(fresh, spans=spans))
        return replace(priced, meter=priced._metered(self.phase, now)) if spans else priced

    def metered_since(self, meter: Meter, now: datetime) -> Lab:
        """The same running lab with a meter that begins now."""
        return replace(self, meter=meter.with_span(now, meter.awake(self.node_counts)))

    def _metered(self, phase: Phase, now: datetime) -> Meter | None:
        """The meter from now on. Parts that may not be deleted yet still count."""
        meter = self.meter
        if meter is None or phase in _AS_BEFORE:
            return meter
        if phase in _NOT_PAID:
            return meter.with_span(now, 0)
        awake = meter.awake(self.node_counts)
        if phase is Phase.HIBERNATED:
            return meter.with_span(now, meter.asleep, awake - meter.asleep)
        return meter.with_span(now, awake)
