"""The warning before curfew: what happens to which lab, when, why, what goes with it, and the one link that keeps it.

Called by the sweep for each entry of a plan, before anything may be touched. Plain text; an instant is told in the owner's
zone and in UTC. Nothing is said that isn't known: what could not be counted is named as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.recipients import recipient_of as recipient_of_owner
from chalicelib.domain.core.wording import counted, paragraph
from chalicelib.domain.costs import describe_keeping, usd
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import AtCurfew, Schedule, format_local
from chalicelib.domain.labs.spec import VolumePolicy

#: The message attribute `kind`, that subscriptions can filter by.
KIND = "curfew-warning"
#: SNS: fewer than 100 characters.
_MOST_SUBJECT = 99
#: Who is told where no administrator is named and nobody owns the lab.
NOBODY = "administrators"
_NOUNS = {"nodes": "node", "pods": "pod", "volumes": "volume", "balancers": "load balancer"}


def warning_message(
    entry: Entry,
    schedule: Schedule,
    keep_url: str | None,
    keep_until: datetime | None,
    recipient: str,
    keep_cost_usd: float | None,
    *,
    volumes: VolumePolicy | None = None,
    account: str = "",
    in_place_of: str = "",
    came_back: bool = False,
    spent_usd: float | None = None,
) -> Message:
    """The one mail about this entry to one recipient.

    `keep_url` None with a `keep_until`: no link could be made; both None: the allowance is used up. `keep_cost_usd`: of
    keeping until then, None where a price is not known. `volumes`: the lab's policy. `account`: read off an owner's ARN
    where it is not given.
    `in_place_of`: the owner, if they can't be reached, and the recipient hears for them. `came_back`: mail to them did.
    `spent_usd`: what the lab has cost so far.
    """
    pieces = [
        in_place(in_place_of, came_back),
        _opening(entry, schedule, "the" if in_place_of else "your"),
        # Of a lease the opening has said it all.
        _why(entry),
        describe_stakes(entry),
        describe_entry_volumes(entry, volumes),
        f"It has cost about {usd(spent_usd)} so far." if spent_usd else "",
        *_keeping(entry, schedule, keep_url, keep_until, keep_cost_usd),
        *_otherwise(entry, schedule, extendable=keep_until is not None),
    ]
    return Message(
        recipient=recipient,
        subject=_subject(entry, schedule),
        body="\n\n".join(piece if piece.startswith("  ") else paragraph(piece) for piece in pieces if piece) + "\n",
        kind=KIND,
        severity=Severity.WARNING,
        account=account or _account_of(entry.owner),
        owner=entry.owner,
    )


def format_in_zone(schedule: Schedule, instant: datetime) -> str:
    """`Mon 23 Nov 22:00 (Asia/Seoul), 13:00 UTC`; the day of UTC where it is another one; UTC alone where that is the zone."""
    local, plain = format_local(schedule, instant), instant.astimezone(UTC)
    if schedule.time_zone == "UTC":
        return local
    day = f"{plain:%a} {plain.day} {plain:%b}"
    return f"{local}, {plain:%H:%M} UTC" if local.startswith(day) else f"{local}, {day} {plain:%H:%M} UTC"


def in_place(owner: str, came_back: bool = False) -> str:
    if not owner:
        return ""
    if came_back:
        return f"This is about a lab of {owner}, and mail to them came back: you are told in their place."
    return f"This is about a lab of {owner}, and nobody has a confirmed subscription under that name: you are told in their place."


def _opening(entry: Entry, schedule: Schedule, whose: str) -> str:
    when, lab = format_in_zone(schedule, entry.at), f"{entry.name} ({entry.lab_id} in {entry.region})"
    does = "goes to sleep" if sleeps(entry) else "ends"
    match entry.trigger:
        case Trigger.IDLE:
            return f"{whose.capitalize()} lab {lab} {does} on {when}, because nobody seems to use it."
        case Trigger.LEASE:
            return f"The lease of {whose} lab {lab} ends on {when}. With it the lab {does}."
        case Trigger.GONE:
            return f"The cluster of {whose} lab {lab} is gone. What it left behind is deleted on {when}, and the lab is closed."
        case Trigger.ADOPTED:
            return (
                f"The EKS cluster {lab} has this service's tags, but there was no lab to answer for it. "
                f"It is deleted on {when} unless somebody keeps it. You are told because its tags name you, "
                "or as an administrator where they name nobody."
            )


def _why(entry: Entry) -> str:
    """Of a lease the opening has said it all, unless the end goes over a protection."""
    if entry.trigger is not Trigger.LEASE:
        return f"Why: {entry.reason.rstrip('. ')}."
    return entry.reason if "lifted" in entry.reason else ""


def _keeping(
    entry: Entry, schedule: Schedule, keep_url: str | None, keep_until: datetime | None, cost_usd: float | None
) -> list[str]:
    if entry.trigger is Trigger.GONE:
        return ["There is nothing to keep, so there is no link to keep it."]
    if keep_until is None and keep_url is None:
        return [
            "There is no link to keep it: its allowance is used up. Save what you still need before then. "
            "An administrator can protect it."
        ]
    until = "until the next curfew" if keep_until is None else f"until {format_in_zone(schedule, keep_until)}"
    costs = (
        "What that costs is not known"
        if cost_usd is None
        else "That costs about " + describe_keeping(cost_usd, entry.hourly_usd)
    )
    if keep_url is None:
        return [f"No link to keep it could be made this time. You can extend it yourself, {until}. {costs}."]
    return [
        f"To keep it {until}, open this page and press its button. {costs}.",
        f"  {keep_url}",
        "The page needs no login: whoever has the link can keep this lab, and nothing else.",
    ]


def _otherwise(entry: Entry, schedule: Schedule, extendable: bool) -> list[str]:
    text = []
    if entry.trigger is Trigger.GONE:
        text += [
            "To close it at once:",
            _commands(f"ekslab delete cluster {entry.lab_id}"),
        ]
    elif extendable:
        text += ["For another time, within its allowance:", _commands(f"ekslab extend {entry.lab_id} 24h")]
    if sleeps(entry):
        by_itself = (
            schedule.wake
            and f"It wakes by itself within the hour after {schedule.wake:%H:%M} ({schedule.time_zone}) on a day that is not quiet"
        )
        text += [f"{by_itself}, or when you say so:" if by_itself else "It sleeps until you wake it:"]
        text += [_commands(f"ekslab wake {entry.lab_id}")]
    if entry.trigger is Trigger.IDLE:
        text += ["Right before, it is looked at once more: if it is in use by then, nothing happens to it."]
    return text


def _commands(*lines: str) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _subject(entry: Entry, schedule: Schedule) -> str:
    when = format_local(schedule, entry.at)
    does = "goes to sleep" if sleeps(entry) else "ends"
    text = {
        Trigger.IDLE: f" {does} {when}: idle",
        Trigger.LEASE: f" {does} {when}: lease over",
        Trigger.GONE: f" is closed {when}: cluster gone",
        Trigger.ADOPTED: f" {does} {when}: no lab",
    }[entry.trigger]
    room = _MOST_SUBJECT - len(f"ekslab: {text}")
    name = entry.name if len(entry.name) <= room else f"{entry.name[: room - 3]}..."
    return f"ekslab: {name}{text}"


def _account_of(owner: str) -> str:
    parts = owner.split(":")
    return parts[4] if len(parts) > 5 and parts[0] == "arn" else ""


def recipient_of(lab: Lab, nobody: str) -> str:
    """The user's or the session's name; `nobody` (the administrators) for an adopted lab whose cluster names no owner."""
    return recipient_of_owner(lab.owner) or nobody


def describe_stakes(entry: Entry) -> str:
    """What the act does to nodes, pods, volumes and load balancers. Empty where nothing is left to lose."""
    if sleeps(entry):
        return _asleep(entry)
    there, uncounted = _counts(entry, tuple(_NOUNS))
    if entry.trigger is Trigger.GONE:
        return f"Still there: {listed(there)}." if there else ""
    if not there and not uncounted:
        return "Nothing was seen on it: no nodes, pods, volumes or load balancers."
    if not there:
        return "What is on it could not be counted."
    goes = "goes" if len(there) == 1 and there[0].startswith("1 ") else "go"
    unsure = f" Not counted: {listed(uncounted, 'or')}." if uncounted else ""
    return f"With it {goes} {listed(there)}.{unsure}"


def describe_entry_volumes(entry: Entry, policy: VolumePolicy | None) -> str:
    """What becomes of the volumes of PersistentVolumeClaims. Empty where there are none, or where they stay with the lab."""
    if sleeps(entry) or entry.stakes.volumes == 0 or (entry.trigger is Trigger.GONE and entry.stakes.volumes is None):
        return ""
    match policy:
        case VolumePolicy.DELETE:
            return "Volumes of PersistentVolumeClaims are deleted for good."
        case VolumePolicy.SNAPSHOT:
            return "Volumes of PersistentVolumeClaims are deleted after a snapshot of each; snapshots stay, and cost."
        case VolumePolicy.KEEP:
            return "Volumes of PersistentVolumeClaims stay, and cost until you delete them."
        case None:
            return (
                f"What becomes of its volumes was said in its request: ekslab describe cluster {entry.lab_id} shows it."
            )


def sleeps(entry: Entry) -> bool:
    """Whether the lab goes on after the act: what is gone or was nobody's only ends."""
    return entry.act is AtCurfew.HIBERNATE and entry.trigger in (Trigger.IDLE, Trigger.LEASE)


def listed(things: Sequence[str], conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} {conjunction} {things[-1]}"


def _asleep(entry: Entry) -> str:
    stops, _ = _counts(entry, ("nodes", "pods"))
    stays, _ = _counts(entry, ("volumes", "balancers"))
    if not stops:
        first = "Its nodes are shut down, and pods stop."
    else:
        one = len(stops) == 1 and stops[0].startswith("1 ")
        first = f"{listed(stops)} {'stops' if one else 'stop'} until it wakes."
    return (
        f"{first} {listed([*stays, 'the control plane']).capitalize()} {'stay' if stays else 'stays'}, at a cost. "
        "What is only on a node's own disk is lost."
    )


def _counts(entry: Entry, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is there, counted; and the names of what nobody could count."""
    numbers: dict[str, int | None] = {name: getattr(entry.stakes, name) for name in names}
    there = [counted(number, _NOUNS[name]) for name, number in numbers.items() if number]
    return there, [f"{_NOUNS[name]}s" for name, number in numbers.items() if number is None]
