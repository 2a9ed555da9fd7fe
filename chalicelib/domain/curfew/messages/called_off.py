"""The message to an owner when an announced act has not happened: the reason, and whether it still may."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import MOST_SUBJECT, Message, Severity, commands, letter_of, message_of, para
from chalicelib.domain.core.sentence import Said, Sentence, clause, joined
from chalicelib.domain.curfew.messages.warning import format_in_zone, in_place, lab_named, shortened, sleeps
from chalicelib.domain.curfew.plan import Entry
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import format_local

KIND = "curfew-called-off"


@dataclass(frozen=True)
class Called:
    """Why the act has not happened. `until`: until when it still may, None if it may not. `released`: by administrators."""

    reason: str
    until: datetime | None = None
    released: bool = False


def called_off_message(
    lab: Lab, entry: Entry, called: Called, now: datetime, recipient: str, in_place_of: str = ""
) -> Message:
    """The mail that calls off, or postpones, the act of `entry`. `in_place_of`: the owner, if another person gets it."""
    over = now >= entry.at
    letter = letter_of(
        _subject(lab, entry, over),
        [
            para(in_place(in_place_of)),
            para(_opening(lab, entry, over)),
            para(Sentence("Why: {reason}.", reason=clause(called.reason))),
            para(_after(lab, called)),
            para(Sentence("Look at it:")),
            commands(f"ekslab describe cluster {entry.lab_id}"),
        ],
    )
    return message_of(letter, recipient, KIND, Severity.INFO, lab.account, lab.owner)


def _subject(lab: Lab, entry: Entry, over: bool) -> Sentence:
    room = MOST_SUBJECT - len(_subject_of(lab, entry, over, ""))
    return _subject_of(lab, entry, over, shortened(entry.name, min(room, 40)))


def _subject_of(lab: Lab, entry: Entry, over: bool, name: str) -> Sentence:
    slots = {"name": name, "when": format_local(lab.spec.schedule, entry.at)}
    match sleeps(entry), over:
        case True, True:
            return Sentence("ekslab: {name} did not sleep {when}", **slots)
        case True, False:
            return Sentence("ekslab: {name} does not sleep {when}", **slots)
        case _, True:
            return Sentence("ekslab: {name} did not end {when}", **slots)
        case _:
            return Sentence("ekslab: {name} does not end {when}", **slots)


def _opening(lab: Lab, entry: Entry, over: bool) -> str:
    slots: dict[str, Said] = {
        "lab": lab_named(entry.name, entry.lab_id, entry.region),
        "when": format_in_zone(lab.spec.schedule, entry.at),
    }
    was = (
        Sentence("The lab {lab} was to go to sleep on {when}.", **slots)
        if sleeps(entry)
        else Sentence("The lab {lab} was to end on {when}.", **slots)
    )
    return joined((was, Sentence("That has not happened.") if over else Sentence("That does not happen.")))


def _after(lab: Lab, called: Called) -> Sentence:
    if called.until is None:
        return Sentence("The warning no longer holds. You are warned again before anything else happens to the lab.")
    until = format_in_zone(lab.spec.schedule, called.until)
    if called.released:
        return Sentence(
            "It may still happen without another warning, if an administrator releases the night, until {until}. After that "
            "you are warned again.",
            until=until,
        )
    return Sentence(
        "It may still happen without another warning, once nothing is in the way, until {until}. After that you are warned "
        "again.",
        until=until,
    )
