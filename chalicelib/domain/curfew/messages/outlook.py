"""What a lab's owner is told about its beginning and its future: the first line of history, and what happens next and when.

Pure: facts and `now` in, sentences out. Instants are told to the minute, in the lab's own zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.domain.curfew.decision import exemption, no_holidays
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, format_local
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from chalicelib.domain.teardown.volumes import describe_volumes


def first_event(lab: Lab) -> Event:
    """The line that every history begins with."""
    message = f"Lab {lab.name} was requested: Kubernetes {lab.spec.version} in {lab.region}."
    return Event(lab.created_at, "requested", message, {"owner": lab.owner})


def upcoming_events(
    lab: Lab, steps: Sequence[Step], now: datetime, entry: Entry | None = None, holidays: Holidays = no_holidays
) -> tuple[str, ...]:
    """Sentences about the lab's future, nearest first; none when nothing more will happen. `entry`: its line of a plan."""
    match lab.phase:
        case Phase.AWAITING_APPROVAL:
            until = format_local(lab.spec.schedule, lab.approval.expires_at) if lab.approval else "the third day"
            return (
                f"An approver must agree: {lab.approval.why if lab.approval else ''}. Without an answer it is over at {until}.",
            )
        case Phase.REFUSED:
            return ("Nothing was made of it. Ask for another lab, with a lower price.",)
        case Phase.REQUESTED:
            return ("Provisioning starts within minutes.", _lease(lab, now))
        case Phase.PROVISIONING | Phase.UPDATING | Phase.HIBERNATING | Phase.WAKING:
            return (*_waiting(lab, steps), *_curfew(lab, entry, holidays, now), _lease(lab, now))
        case Phase.READY | Phase.HIBERNATED:
            return (*_sleep(lab, now), *_curfew(lab, entry, holidays, now), _lease(lab, now))
        case Phase.LOST:
            gone = (
                "Somebody deleted its cluster: what it left behind is deleted after a warning. "
                f"`ekslab delete cluster {lab.name}` does it now."
            )
            return (gone, _volumes(lab))
        case Phase.RELEASING | Phase.ROLLING_BACK:
            ending = "Everything of the lab is being deleted; a receipt proves it afterwards."
            return (*_waiting(lab, steps), ending, _volumes(lab))
        case Phase.BLOCKED:
            why = (lab.reason or "the receipt names what blocks it").rstrip(".")
            return (
                f"Nothing, until this is resolved: {why}.",
                f"The receipt has every line. `ekslab delete cluster {lab.name}` tries again.",
            )
        case Phase.DELETED | Phase.FAILED:
            return _looks(lab)


def _sleep(lab: Lab, now: datetime) -> Iterator[str]:
    """When a hibernated lab wakes."""
    if lab.phase is not Phase.HIBERNATED:
        return
    wake_at = lab.hibernation.wake_at if lab.hibernation else None
    if wake_at is None:
        yield f"It sleeps until somebody wakes it: ekslab wake {lab.name}."
    elif wake_at > now:
        yield f"It sleeps until {format_local(lab.spec.schedule, wake_at)}, or until somebody asks for it."
    else:
        yield "It sleeps, and is to wake within the hour."


def _curfew(lab: Lab, entry: Entry | None, holidays: Holidays, now: datetime) -> Iterator[str]:
    """What the next evening brings, and what keeps it from doing so."""
    schedule = lab.spec.schedule
    if lab.planned is not None and lab.planned.at > now:
        yield _planned(lab, lab.planned.at, entry, holidays)
    if lab.kept_until is not None and lab.kept_until > now:
        yield f"It is kept: no idleness ends it before {format_local(schedule, lab.kept_until)}."
    if lab.protection is not None and lab.protection.until > now:
        until = format_local(schedule, lab.protection.until)
        yield f"It is protected until {until}, by {lab.protection.by}: {_stopped(lab.protection.why)}"


def _planned(lab: Lab, at: datetime, entry: Entry | None, holidays: Holidays) -> str:
    """The plan's line, or why it will not be done: by the rule that the sweep spares labs by."""
    when = format_local(lab.spec.schedule, at)
    if exempt := why_not_as_planned(lab, entry, holidays):
        return f"It was on the plan for {when}, but lives on: {exempt[:1].lower()}{exempt[1:]}"
    act = "is hibernated" if entry is not None and entry.act is AtCurfew.HIBERNATE else "ends"
    why = f" {_sentence(entry.reason)}" if entry is not None else ""
    remedy = "" if entry is not None and entry.trigger is Trigger.GONE else " Extending it keeps it."
    return f"Tonight's plan: it {act} {when}.{why}{remedy}"


def why_not_as_planned(lab: Lab, entry: Entry | None, holidays: Holidays) -> str:
    """Why the plan's line will not be done, as far as people's word goes (a tag may spare it, too); empty if it will."""
    return _stopped(exempt) if entry is not None and (exempt := exemption(lab, entry, holidays)) else ""


def _sentence(words: str) -> str:
    """With a capital letter at its beginning and a full stop at its end."""
    return _stopped(f"{words[:1].upper()}{words[1:]}")


def _stopped(words: str) -> str:
    """With a full stop at its end; what a person wrote keeps its own letters."""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _waiting(lab: Lab, steps: Sequence[Step]) -> tuple[str, ...]:
    running = [step for step in steps if step.status is StepStatus.RUNNING and step.run == lab.run]
    return tuple(f"{step.title}: {step.detail or 'under way'}" for step in running)


def _lease(lab: Lab, now: datetime) -> str:
    """Protection outlasts the lease (appointments.lease_end): what ends later is what ends the lab."""
    ended, text = now >= lab.lease_ends_at, f"then everything is deleted, and {describe_volumes(lab.spec.volumes)}."
    schedule = lab.spec.schedule
    begins = f"The lease {'ended' if ended else 'ends'} on {format_local(schedule, lab.lease_ends_at)}"
    if lab.lasts_until > max(lab.lease_ends_at, now):
        return f"{begins}, but it is protected until {format_local(schedule, lab.lasts_until)}; {text}"
    if ended:
        return f"{begins}: its end is planned, and its owner warned, within the hour."
    return f"{begins}; {text}"


def _volumes(lab: Lab) -> str:
    return _sentence(describe_volumes(lab.spec.volumes))


def _looks(lab: Lab) -> tuple[str, ...]:
    if lab.due_at is None:
        return ()
    when = format_local(lab.spec.schedule, lab.due_at)
    if lab.unsettled:
        asked = "What it left costs, and nothing proves whose it is: the receipt names it, and you are asked daily."
        return (asked, f"`ekslab leftovers {lab.id} --keep ARN` says that it stays; the next look is on {when}.")
    return (f"The account is looked at again on {when}, to see that nothing came back.",)
