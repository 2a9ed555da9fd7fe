"""Sentences for a lab's owner about its beginning and its future: the first line of history, and the next events.

Pure. Instants are given to the minute, in the lab's own zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.domain.core.sentence import Sentence, begun_small, clause, ended, opening
from chalicelib.domain.curfew.decision import exemption, no_holidays
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, format_local
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from chalicelib.domain.teardown.volumes import describe_volumes


def first_event(lab: Lab) -> Event:
    """The line that every history begins with."""
    message = Sentence(
        "Lab {name} was requested: Kubernetes {version} in {region}.",
        name=lab.name,
        version=lab.spec.version,
        region=lab.region,
    )
    return Event(lab.created_at, "requested", message, {"owner": lab.owner})


def upcoming_events(
    lab: Lab, steps: Sequence[Step], now: datetime, entry: Entry | None = None, holidays: Holidays = no_holidays
) -> tuple[str, ...]:
    """Sentences about the lab's future, nearest first; none when nothing more will happen. `entry`: its line of a plan."""
    match lab.phase:
        case Phase.AWAITING_APPROVAL:
            return (_awaiting(lab),)
        case Phase.REFUSED:
            return (Sentence("Nothing was made of it. Ask for another lab, with a lower price."),)
        case Phase.REQUESTED:
            return (Sentence("Provisioning starts within minutes."), _lease(lab, now))
        case Phase.PROVISIONING | Phase.UPDATING | Phase.HIBERNATING | Phase.WAKING:
            return (*_waiting(lab, steps), *_curfew(lab, entry, holidays, now), _lease(lab, now))
        case Phase.READY | Phase.HIBERNATED:
            return (*_sleep(lab, now), *_curfew(lab, entry, holidays, now), _lease(lab, now))
        case Phase.LOST:
            gone = Sentence(
                "Somebody deleted its cluster: everything that it left behind is deleted after a warning. "
                "`ekslab delete cluster {name}` does it now.",
                name=lab.name,
            )
            return (gone, _volumes(lab))
        case Phase.RELEASING | Phase.ROLLING_BACK:
            ending = Sentence("Everything of the lab is being deleted; a receipt proves it afterwards.")
            return (*_waiting(lab, steps), ending, _volumes(lab))
        case Phase.BLOCKED:
            why = lab.reason or Sentence("the receipt names what blocks it")
            return (
                Sentence("Nothing, until this is resolved: {why}.", why=clause(why)),
                Sentence("The receipt has every line. `ekslab delete cluster {name}` tries again.", name=lab.name),
            )
        case Phase.DELETED | Phase.FAILED:
            return _looks(lab)


def _awaiting(lab: Lab) -> Sentence:
    approval = lab.approval
    if approval is None:
        return Sentence("An approver must agree.")
    until = format_local(lab.spec.schedule, approval.expires_at)
    return Sentence("An approver must agree: {why}. Without an answer it is over at {at}.", why=approval.why, at=until)


def _sleep(lab: Lab, now: datetime) -> Iterator[str]:
    """When a hibernated lab wakes."""
    if lab.phase is not Phase.HIBERNATED:
        return
    wake_at = lab.hibernation.wake_at if lab.hibernation else None
    if wake_at is None:
        yield Sentence("It sleeps until somebody wakes it: `ekslab wake {name}`.", name=lab.name)
    elif wake_at > now:
        yield Sentence(
            "It sleeps until {at}, or until somebody asks for it.", at=format_local(lab.spec.schedule, wake_at)
        )
    else:
        yield Sentence("It sleeps, and is to wake within the hour.")


def _curfew(lab: Lab, entry: Entry | None, holidays: Holidays, now: datetime) -> Iterator[str]:
    """The effect of the next evening, and the reason if there is none."""
    schedule = lab.spec.schedule
    if lab.planned is not None and lab.planned.at > now:
        yield _planned(lab, lab.planned.at, entry, holidays)
    if lab.kept_until is not None and lab.kept_until > now:
        yield Sentence("It is kept: no idleness ends it before {at}.", at=format_local(schedule, lab.kept_until))
    if lab.protection is not None and lab.protection.until > now:
        until = format_local(schedule, lab.protection.until)
        yield Sentence(
            "It is protected until {at}, by {who}: {why}",
            at=until,
            who=lab.protection.by,
            why=ended(lab.protection.why),
        )


def _planned(lab: Lab, at: datetime, entry: Entry | None, holidays: Holidays) -> str:
    """The plan's line, or why it will not be carried out: by the rule with which the curfew run spares labs."""
    when = format_local(lab.spec.schedule, at)
    if exempt := why_not_as_planned(lab, entry, holidays):
        return Sentence("It was on the plan for {at}, but lives on: {why}", at=when, why=begun_small(exempt))
    line = (
        Sentence("Tonight's plan: it is hibernated {at}.", at=when)
        if entry is not None and entry.act is AtCurfew.HIBERNATE
        else Sentence("Tonight's plan: it ends {at}.", at=when)
    )
    if entry is not None:
        line = Sentence("{line} {why}", line=line, why=ended(opening(entry.reason)))
    if entry is not None and entry.trigger is Trigger.GONE:
        return line
    return Sentence("{line} Extending it keeps it.", line=line)


def why_not_as_planned(lab: Lab, entry: Entry | None, holidays: Holidays) -> str:
    """Why the plan's line will not be carried out by people's choice (a tag may spare it, too); empty if it will."""
    return ended(exempt) if entry is not None and (exempt := exemption(lab, entry, holidays)) else ""


def _waiting(lab: Lab, steps: Sequence[Step]) -> tuple[str, ...]:
    running = [step for step in steps if step.status is StepStatus.RUNNING and step.run == lab.run]
    return tuple(
        Sentence("{step}: {detail}", step=step.title, detail=step.detail or Sentence("under way")) for step in running
    )


def _lease(lab: Lab, now: datetime) -> str:
    """Protection outlasts the lease (appointments.lease_end): the later of the two ends the lab."""
    over, schedule = now >= lab.lease_ends_at, lab.spec.schedule
    at = format_local(schedule, lab.lease_ends_at)
    begins = Sentence("The lease ended on {at}", at=at) if over else Sentence("The lease ends on {at}", at=at)
    volumes = describe_volumes(lab.spec.volumes)
    if lab.lasts_until > max(lab.lease_ends_at, now):
        return Sentence(
            "{lease}, but it is protected until {until}; then everything is deleted, and {volumes}.",
            lease=begins,
            until=format_local(schedule, lab.lasts_until),
            volumes=volumes,
        )
    if over:
        return Sentence("{lease}: its end is planned, and its owner warned, within the hour.", lease=begins)
    return Sentence("{lease}; then everything is deleted, and {volumes}.", lease=begins, volumes=volumes)


def _volumes(lab: Lab) -> str:
    return ended(opening(describe_volumes(lab.spec.volumes)))


def _looks(lab: Lab) -> tuple[str, ...]:
    if lab.due_at is None:
        return ()
    when = format_local(lab.spec.schedule, lab.due_at)
    if not lab.unsettled:
        return (Sentence("The account is looked at again on {at}, to see that nothing came back.", at=when),)
    return (
        Sentence(
            "What it left costs money, and nothing proves whose it is: the receipt names it, and you are asked daily."
        ),
        Sentence(
            "`ekslab leftovers {id} --keep ARN` says that it stays; the next look is on {at}.", id=lab.id, at=when
        ),
    )
