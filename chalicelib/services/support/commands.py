"""Use cases on a watched cluster: acknowledge, snooze, change its support policy. For its owner and administrators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_second
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import (
    AwsRefused,
    ClusterNotWatched,
    InvalidRequest,
    NothingAhead,
    NotYours,
    PolicyNotAllowed,
    ResourceGone,
)
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.support.assessment import EXTENDED, STANDARD
from chalicelib.domain.support.deadlines import Deadline, SupportPhase
from chalicelib.domain.support.owners import may_change
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps
from chalicelib.services.support.accounts import place_of
from chalicelib.services.support.queries import ClusterView, get_cluster, kept_cluster


@dataclass(frozen=True)
class PolicyAnswer:
    """The result of requesting a support policy. `update_id` None: it has that policy."""

    support_type: str
    update_id: str | None
    message: str


def acknowledge(deps: Deps, caller: Caller, key: ClusterKey) -> ClusterView:
    """Acknowledge the next deadline: its mails stop until the last week. Raises NotYours, NothingAhead."""

    def acknowledged(watched: Watched) -> Watched:
        return replace(watched, acknowledged_by=caller.arn, acknowledged_deadline=deadline_ahead(watched).id)

    return _changed(deps, caller, key, acknowledged)


def snooze(deps: Deps, caller: Caller, key: ClusterKey, until: datetime, now: datetime) -> ClusterView:
    """Hold mails back until an instant, not past the next mandatory reminder. Raises InvalidRequest, NotYours, NothingAhead."""

    def snoozed(watched: Watched) -> Watched:
        latest = latest_snooze(deadline_ahead(watched), now, deps.watch.reminder_days)
        if not now < until <= latest:
            message = Sentence(
                "It can be snoozed from now until {latest}: the next notice that matters.",
                latest=format_second(latest),
            )
            raise InvalidRequest([error("until", "too-late" if until > latest else "past", message)])
        return replace(watched, snoozed_until=until)

    return _changed(deps, caller, key, snoozed)


def set_support_policy(deps: Deps, caller: Caller, key: ClusterKey, support_type: str) -> PolicyAnswer:
    """Request STANDARD or EXTENDED from EKS. Raises NotYours, PolicyNotAllowed, ClusterNotWatched."""
    watched = kept_cluster(deps, caller, key)
    _refuse_strangers(caller, watched)
    if (watched.cluster.support_type or EXTENDED) == support_type and watched.trouble is None:
        return PolicyAnswer(support_type, None, Sentence("Its policy is {policy} already.", policy=support_type))
    if support_type == STANDARD and watched.support.billed_extended:
        raise PolicyNotAllowed(
            "{version} is in extended support since {begun}: EKS changes EXTENDED to STANDARD only "
            "before that. Upgrading to a version in standard support ends the extra charge, and the "
            "policy can be changed then.",
            version=watched.cluster.version,
            begun=_begun(watched),
        )
    changing = Sentence("EKS is changing the policy to {policy}.")
    past_end = watched.support.phase is SupportPhase.PAST_END and not watched.support.billed_extended
    if support_type == EXTENDED and past_end:
        changing = Sentence(
            "EKS is changing the policy to {policy}. EKS takes this only until its own upgrade of the control plane begins, which "
            "may be at any moment."
        )
    return PolicyAnswer(support_type, _asked(deps, key, support_type), changing.with_slots(policy=support_type))


def _asked(deps: Deps, key: ClusterKey, support_type: str) -> str:
    try:
        return deps.watch.fleet(place_of(deps, key)).set_support_policy(key.name, support_type)
    except ResourceGone as gone:
        raise ClusterNotWatched(key.account, key.region, key.name) from gone
    except AwsRefused as refusal:
        raise PolicyNotAllowed(
            "EKS refused it with {code}: {message}", code=refusal.code, message=refusal.message
        ) from refusal


def _changed(deps: Deps, caller: Caller, key: ClusterKey, change: Callable[[Watched], Watched]) -> ClusterView:
    _refuse_strangers(caller, kept_cluster(deps, caller, key))
    deps.watch.store.change_watched(key, lambda kept: None if kept is None else change(kept))
    return get_cluster(deps, caller, key)


def _refuse_strangers(caller: Caller, watched: Watched) -> None:
    if not may_change(caller, watched.owner):
        owner = watched.owner or Sentence("nobody: its tags and registration name none")
        raise NotYours(
            "{name} is for its owner ({owner}) and for administrators to change.",
            name=watched.cluster.key.name,
            owner=owner,
        )


def deadline_ahead(watched: Watched) -> Deadline:
    """The next deadline. Raises NothingAhead."""
    following = None if watched.gone_at else watched.support.next
    if following is None:
        raise NothingAhead(
            "{name} has no deadline ahead. {reason}", name=watched.cluster.key.name, reason=watched.support.reason
        )
    return following


def _begun(watched: Watched) -> str:
    return (
        f"{watched.support.begun.at:%Y-%m-%d}"
        if watched.support.begun
        else Sentence("a day the calendar does not tell")
    )
