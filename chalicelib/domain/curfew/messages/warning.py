"""The warning of a planned act: the lab, the time, the reason, the losses, and the link that keeps the lab.

The curfew run sends it for each entry of a plan before it may act. Times are in the owner's zone and in UTC. The warning names
resources that could not be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import (
    MOST_SUBJECT,
    Block,
    Link,
    Message,
    Severity,
    commands,
    letter_of,
    message_of,
    para,
)
from chalicelib.domain.core.recipients import recipient_of as recipient_of_owner
from chalicelib.domain.core.sentence import Listed, Moment, Said, Sentence, Style, clause, opening
from chalicelib.domain.core.wording import counted
from chalicelib.domain.costs import describe_keeping, usd
from chalicelib.domain.curfew.plan import AT_CURFEW, Entry, Trigger
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import AtCurfew, Schedule, format_local
from chalicelib.domain.labs.spec import VolumePolicy

#: The message attribute `kind`, that subscriptions can filter by.
KIND = "curfew-warning"
#: The recipient if no administrator is configured and the lab has no owner.
NOBODY = "administrators"
_NOT_COUNTED = {
    "nodes": Sentence("nodes"),
    "pods": Sentence("pods"),
    "volumes": Sentence("volumes"),
    "balancers": Sentence("load balancers"),
}


@dataclass(frozen=True)
class KeepOffer:
    """The link that keeps the lab until `until`, and the cost of that in `usd` (None: a price is not known).

    `url` None with an `until`: no link could be made. Both None: the allowance is used up. `no_room`: a ceiling of money stops a
    longer lease: its sentence, empty if the lab sleeps because of it.
    """

    url: str | None = None
    until: datetime | None = None
    usd: float | None = None
    no_room: str | None = None


@dataclass(frozen=True)
class WarnedPerson:
    """The recipient. `in_place_of`: the owner, if no message reaches them; `came_back`: mail to the owner came back."""

    name: str
    in_place_of: str = ""
    came_back: bool = False


def warning_message(
    entry: Entry, lab: Lab, offer: KeepOffer, reader: WarnedPerson, spent_usd: float | None = None
) -> Message:
    """The message about this entry to one recipient. `spent_usd`: the lab's cost so far, if it is known."""
    schedule = lab.spec.schedule
    letter = letter_of(
        _subject(entry, schedule),
        [
            para(in_place(reader.in_place_of, reader.came_back)),
            para(_opening(entry, schedule, mine=not reader.in_place_of)),
            para(_why(entry)),
            para(describe_stakes(entry)),
            para(describe_entry_volumes(entry, lab.spec.volumes)),
            para(Sentence("It has cost about {amount} so far.", amount=usd(spent_usd)) if spent_usd else ""),
            *_keeping(entry, schedule, offer),
            *_otherwise(entry, schedule, extendable=offer.until is not None and offer.no_room is None),
        ],
    )
    return message_of(letter, reader.name, KIND, Severity.WARNING, lab.account, entry.owner)


def format_in_zone(schedule: Schedule, instant: datetime) -> Moment:
    """`Mon 23 Nov 22:00 (Asia/Seoul), 13:00 UTC`; the UTC day if it differs; UTC alone if the zone is UTC."""
    return Moment(instant, schedule.time_zone, Style.BOTH)


def in_place(owner: str, came_back: bool = False) -> str:
    """The reason why the reader gets a message about another's lab; empty for the owner."""
    if not owner:
        return ""
    if came_back:
        return Sentence(
            "This is about a lab of {owner}. Mail to them came back, so you are told in their place.", owner=owner
        )
    return Sentence(
        "This is about a lab of {owner}. Nobody has a confirmed subscription under that name, so you are told in their place.",
        owner=owner,
    )


def lab_named(name: str, lab_id: str, region: str) -> Sentence:
    """`myeks (lab-7f3k2m9x in ap-northeast-2)`."""
    return Sentence("{name} ({id} in {region})", name=name, id=lab_id, region=region)


def _opening(entry: Entry, schedule: Schedule, mine: bool) -> str:
    lab = lab_named(entry.name, entry.lab_id, entry.region)
    slots: dict[str, Said] = {"lab": lab, "when": format_in_zone(schedule, entry.at)}
    whose = slots | {"lab": Sentence("Your lab {lab}", lab=lab) if mine else Sentence("The lab {lab}", lab=lab)}
    of_lab = slots | {"lab": Sentence("your lab {lab}", lab=lab) if mine else Sentence("the lab {lab}", lab=lab)}
    match entry.trigger:
        case Trigger.IDLE if sleeps(entry):
            return Sentence("{lab} goes to sleep on {when}, because nobody seems to use it.", **whose)
        case Trigger.IDLE:
            return Sentence("{lab} ends on {when}, because nobody seems to use it.", **whose)
        case Trigger.LIMIT:
            return Sentence("{lab} goes to sleep on {when}, because a ceiling of money is reached.", **whose)
        case Trigger.LEASE if sleeps(entry):
            return Sentence("The lease of {lab} ends on {when}. The lab then goes to sleep.", **of_lab)
        case Trigger.LEASE:
            return Sentence("The lease of {lab} ends on {when}. The lab ends with it.", **of_lab)
        case Trigger.GONE:
            return Sentence(
                "The cluster of the lab {lab} is gone. On {when} everything that it left behind is deleted, and the lab is "
                "closed.",
                **slots,
            )
        case Trigger.ADOPTED:
            return Sentence(
                "The EKS cluster {lab} has this service's tags, but no lab is on record for it. It is deleted on {when} "
                "unless somebody keeps it. You are told because its tags name you, or because they name nobody and you "
                "are an administrator.",
                **slots,
            )


def _why(entry: Entry) -> str:
    """The reason. For a lease's end the opening contains it, unless a protection is lifted."""
    if entry.trigger is not Trigger.LEASE:
        return Sentence("Why: {reason}.", reason=clause(entry.reason))
    return entry.reason if "lifted" in entry.reason else ""


def _keeping(entry: Entry, schedule: Schedule, offer: KeepOffer) -> list[Block]:
    if entry.trigger is Trigger.GONE:
        return [para(Sentence("There is nothing to keep, so this mail has no link to keep it."))]
    if offer.url is None and (offer.until is None or offer.no_room):
        return [para(_no_link(offer.no_room))]
    until = Sentence("the next curfew") if offer.until is None else format_in_zone(schedule, offer.until)
    costs = (
        Sentence("The price of that is not known.")
        if offer.usd is None
        else Sentence("That costs about {amount}.", amount=describe_keeping(offer.usd, entry.hourly_usd))
    )
    if offer.url is None:
        return [
            para(
                Sentence(
                    "No link to keep it could be made this time. You can extend it until {until}. {costs}",
                    until=until,
                    costs=costs,
                )
            )
        ]
    return [
        para(
            Sentence("To keep it until {until}, open this page and press its button. {costs}", until=until, costs=costs)
        ),
        Link(offer.url, Sentence("Keep {name}", name=entry.name)),
        para(Sentence("The page needs no login. Anyone who has the link can keep this lab, and can do nothing else.")),
    ]


def _no_link(no_room: str | None) -> Sentence:
    if no_room:
        return Sentence(
            "This mail has no link to keep it, because its lease can't be extended: {why} Save what you still need before "
            "then. An administrator can protect it.",
            why=no_room,
        )
    return Sentence(
        "This mail has no link to keep it, because its allowance is used up. Save what you still need before "
        "then. An administrator can protect it."
    )


def _otherwise(entry: Entry, schedule: Schedule, extendable: bool) -> list[Block]:
    text: list[Block] = []
    if entry.trigger is Trigger.GONE:
        text += [para(Sentence("To close it at once:")), commands(f"ekslab delete cluster {entry.lab_id}")]
    elif extendable:
        text += [
            para(Sentence("To keep it for another time, within its allowance:")),
            commands(f"ekslab extend {entry.lab_id} 24h"),
        ]
    if sleeps(entry):
        text += [para(_waking(schedule)), commands(f"ekslab wake {entry.lab_id}")]
    if entry.trigger is Trigger.IDLE:
        text += [para(Sentence("We check once more just before that time. A lab in use is left running."))]
    if entry.trigger is Trigger.LIMIT:
        text += [
            para(Sentence("We check once more just before that time. With room below the ceiling, it is left running."))
        ]
    return text


def _waking(schedule: Schedule) -> Sentence:
    if schedule.wake is None:
        return Sentence("It sleeps until you wake it:")
    return Sentence(
        "It wakes by itself within the hour after {time} ({zone}) on a day that is not quiet, or when you wake it:",
        time=f"{schedule.wake:%H:%M}",
        zone=schedule.time_zone,
    )


def _subject(entry: Entry, schedule: Schedule) -> str:
    """Cuts the name, so that the day fits."""
    room = MOST_SUBJECT - len(_subject_of(entry, schedule, ""))
    return _subject_of(entry, schedule, shortened(entry.name, room))


def shortened(name: str, room: int) -> str:
    """A name cut to `room` characters."""
    return name if len(name) <= room else f"{name[: room - 3]}..."


def _subject_of(entry: Entry, schedule: Schedule, name: str) -> str:
    slots = {"name": name, "when": format_local(schedule, entry.at)}
    asleep = sleeps(entry)
    match entry.trigger:
        case Trigger.IDLE if asleep:
            return Sentence("ekslab: {name} goes to sleep {when}: idle", **slots)
        case Trigger.IDLE:
            return Sentence("ekslab: {name} ends {when}: idle", **slots)
        case Trigger.LIMIT:
            return Sentence("ekslab: {name} goes to sleep {when}: ceiling reached", **slots)
        case Trigger.LEASE if asleep:
            return Sentence("ekslab: {name} goes to sleep {when}: lease over", **slots)
        case Trigger.LEASE:
            return Sentence("ekslab: {name} ends {when}: lease over", **slots)
        case Trigger.GONE:
            return Sentence("ekslab: {name} is closed {when}: cluster gone", **slots)
        case Trigger.ADOPTED:
            return Sentence("ekslab: {name} ends {when}: no lab", **slots)


def recipient_of(lab: Lab, nobody: str) -> str:
    """The user's or the session's name; `nobody` (the administrators) for an adopted lab whose cluster names no owner."""
    return recipient_of_owner(lab.owner) or nobody


def describe_stakes(entry: Entry) -> str:
    """The effect of the act on nodes, pods, volumes and load balancers; empty if nothing is left."""
    if sleeps(entry):
        return _asleep(entry)
    there, uncounted = _counts(entry, tuple(_NOT_COUNTED))
    if entry.trigger is Trigger.GONE:
        return Sentence("Still there: {things}.", things=Listed(there)) if there else ""
    if not there and not uncounted:
        return Sentence("Nothing was seen on it: no nodes, pods, volumes or load balancers.")
    if not there:
        return Sentence("What is on it could not be counted.")
    goes = _number_of_things(entry, ("nodes", "pods", "volumes", "balancers"))
    lost = Sentence("With it goes {things}.", "With it go {things}.", n=goes, things=Listed(there))
    if not uncounted:
        return lost
    return Sentence("{lost} Not counted: {things}.", lost=lost, things=Listed(uncounted, "or"))


def describe_entry_volumes(entry: Entry, policy: VolumePolicy) -> str:
    """The effect on volumes of PersistentVolumeClaims; empty if there are none, or if the lab keeps them."""
    if sleeps(entry) or entry.stakes.volumes == 0 or (entry.trigger is Trigger.GONE and entry.stakes.volumes is None):
        return ""
    match policy:
        case VolumePolicy.DELETE:
            return Sentence("Volumes of PersistentVolumeClaims are deleted for good.")
        case VolumePolicy.SNAPSHOT:
            return Sentence(
                "Volumes of PersistentVolumeClaims are deleted after a snapshot of each. The snapshots stay, and cost money."
            )
        case VolumePolicy.KEEP:
            return Sentence("Volumes of PersistentVolumeClaims stay, and cost money until you delete them.")


def sleeps(entry: Entry) -> bool:
    """Whether the lab hibernates. A lab without a cluster, and an adopted one, only ends."""
    return entry.act is AtCurfew.HIBERNATE and entry.trigger in AT_CURFEW | {Trigger.LEASE}


def _asleep(entry: Entry) -> str:
    stops, _ = _counts(entry, ("nodes", "pods"))
    stays, _ = _counts(entry, ("volumes", "balancers"))
    stopping = (
        Sentence(
            "{things} stops until it wakes.",
            "{things} stop until it wakes.",
            n=_number_of_things(entry, ("nodes", "pods")),
            things=Listed(stops),
        )
        if stops
        else Sentence("Its nodes are shut down, and pods stop.")
    )
    staying = Sentence(
        "{things} stays, and costs money.",
        "{things} stay, and cost money.",
        n=len(stays) + 1,
        things=opening(Listed([*stays, Sentence("the control plane")])),
    )
    return Sentence(
        "{stopping} {staying} Everything that is only on a node's own disk is lost.", stopping=stopping, staying=staying
    )


def _number_of_things(entry: Entry, names: Sequence[str]) -> int:
    """The number of things, which chooses singular or plural."""
    return sum(getattr(entry.stakes, name) or 0 for name in names)


def _counts(entry: Entry, names: Sequence[str]) -> tuple[list[Sentence], list[Sentence]]:
    """The counted things, and the names of those that could not be counted."""
    stakes = entry.stakes
    counts = {
        "nodes": counted(stakes.nodes or 0, "node"),
        "pods": counted(stakes.pods or 0, "pod"),
        "volumes": counted(stakes.volumes or 0, "volume"),
        "balancers": counted(stakes.balancers or 0, "load balancer"),
    }
    there = [counts[name] for name in names if getattr(stakes, name)]
    return there, [_NOT_COUNTED[name] for name in names if getattr(stakes, name) is None]
