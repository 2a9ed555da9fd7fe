"""The nightly message to administrators: counts, money, every lab with its reason, and matters to act on.

The curfew run sends it once a night. A calm night takes three lines; empty sections are left out, and a long section
is cut with a count, since `ekslab get plan` has every line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Block, Bullets, Letter, Message, Severity, letter_of, message_of, para
from chalicelib.domain.core.sentence import Listed, Moment, Sentence, clause, day_of
from chalicelib.domain.core.wording import counted
from chalicelib.domain.costs import usd
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Plan
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.labs.lab import Lab

KIND = "curfew-report"
#: The most lines of a section.
_MOST_LINES = 50
_Line = tuple[Entry, EntryStatus]
#: The number of past nights whose unsent report is made up for.
BACK = 3


@dataclass(frozen=True)
class Concerns:
    """Matters beside the plan that administrators should know. All but `blocked` are sentences.

    `overdue`: labs that exist past their last end; `orphans`: clusters without a lab; `troubles`: failures of the run.
    """

    blocked: Sequence[Lab] = ()
    overdue: Sequence[str] = ()
    orphans: Sequence[str] = ()
    troubles: Sequence[str] = ()


def report_message(night: date, plan: Plan | None, rules: CurfewRules, concerns: Concerns, recipient: str) -> Message:
    """The report of `night`."""
    lines = plan.lines if plan else ()
    whole = plan is None or plan.is_whole
    amiss = (
        _undelivered(lines)
        or _unheard(lines)
        or _braked(lines)
        or not whole
        or any((concerns.blocked, concerns.overdue, concerns.orphans, concerns.troubles))
    )
    if not lines and not amiss and rules.mode is Mode.ON:
        letter = _calm(night)
    else:
        others = (
            *_section(Sentence("Blocked"), [_describe_blocked(lab) for lab in concerns.blocked]),
            *_section(Sentence("Past their last end, and there still"), concerns.overdue),
            *_section(Sentence("Clusters without a lab"), concerns.orphans),
            *_section(Sentence("Troubles"), concerns.troubles),
        )
        subject = _subject(night, _counts(lines, concerns.blocked))
        letter = letter_of(subject, [*_blocks(night, lines, whole, rules, others)])
    return message_of(letter, recipient, KIND, Severity.WARNING if amiss else Severity.INFO)


def _subject(night: date, counts: str) -> Sentence:
    return Sentence("ekslab: night of {day}: {counts}", day=day_of(night), counts=counts)


def _calm(night: date) -> Letter:
    calm = para(
        Sentence("Curfew, {day}: a calm night.", day=day_of(night)),
        Sentence("Nothing was planned, blocked or without a lab. Everything could be read."),
        Sentence("`ekslab get plan {night}`", night=str(night)),
    )
    return letter_of(_subject(night, Sentence("calm")), [calm])


def _blocks(
    night: date, lines: Sequence[_Line], whole: bool, rules: CurfewRules, others: Sequence[Block]
) -> Iterator[Block]:
    yield para(_opening(night, lines))
    yield para(_mode(rules))
    if not whole:
        yield para(
            Sentence(
                "The plan is not what was published: its hash differs. Nothing was done, and nothing on it will be."
            )
        )
    if braked := _braked(lines):
        yield para(_describe_brake(braked, rules))
    yield from _section(Sentence("Ended"), [_done(line) for line in _with(lines, EntryOutcome.ENDED)])
    yield from _section(Sentence("Put to sleep"), [_done(line) for line in _with(lines, EntryOutcome.HIBERNATED)])
    yield from _section(
        Sentence("Skipped"),
        [_told(line, line[1].reason or Sentence("no reason was kept")) for line in _with(lines, EntryOutcome.SKIPPED)],
    )
    open_lines = [*_with(lines, EntryOutcome.ACTING), *_with(lines, EntryOutcome.STANDING)]
    yield from _section(Sentence("Not settled yet"), [_unsettled(line) for line in open_lines])
    undelivered = [_told(line, line[1].trouble) for line in _undelivered(lines)]
    yield from _section(Sentence("Warnings not delivered"), undelivered)
    yield from _section(Sentence("Warnings that came back"), [_describe_unheard(line) for line in _unheard(lines)])
    yield from others
    yield para(Sentence("Every line with its reason: `ekslab get plan {night}`", night=str(night)))


def _mode(rules: CurfewRules) -> str:
    match rules.mode:
        case Mode.OFF:
            return Sentence("Curfew is off: nothing is planned, warned about or touched until `ekslab curfew on`.")
        case Mode.DRY_RUN:
            return Sentence("Curfew is a dry run: it plans, and neither warns anybody nor touches anything.")
        case Mode.ON:
            return ""


def _opening(night: date, lines: Sequence[_Line]) -> Sentence:
    day = day_of(night)
    if not lines:
        return Sentence("Curfew, {day}: nothing was planned.", day=day)
    slots: dict[str, str] = {"day": day, "labs": counted(len(lines), "lab"), "counts": _counts(lines)}
    saved_usd = sum(status.saved_usd for _, status in lines)
    if saved_usd:
        return Sentence(
            "Curfew, {day}: {labs} planned; {counts}. About {amount} saved.", **slots, amount=usd(saved_usd)
        )
    return Sentence("Curfew, {day}: {labs} planned; {counts}.", **slots)


def _counts(lines: Sequence[_Line], blocked: Sequence[Lab] = ()) -> str:
    """`2 ended, 1 put to sleep, 3 skipped`."""
    outcomes = Counter(status.outcome for _, status in lines)
    ended, asleep = outcomes[EntryOutcome.ENDED], outcomes[EntryOutcome.HIBERNATED]
    skipped = outcomes[EntryOutcome.SKIPPED]
    unsettled = len(lines) - ended - asleep - skipped
    parts = [Sentence("{number} ended", number=ended)] if ended else []
    parts += [Sentence("{number} put to sleep", number=asleep)] if asleep else []
    parts += [Sentence("{number} skipped", number=skipped)] if skipped else []
    parts += [Sentence("{number} not settled yet", number=unsettled)] if unsettled else []
    parts = parts or [Sentence("nothing planned")]
    parts += [Sentence("{number} blocked", number=len(blocked))] if blocked else []
    return Listed(parts, between=", ")


def _with(lines: Iterable[_Line], outcome: EntryOutcome) -> list[_Line]:
    return [line for line in lines if line[1].outcome is outcome]


def _undelivered(lines: Iterable[_Line]) -> list[_Line]:
    return [(entry, status) for entry, status in lines if status.trouble and status.warned_at is None]


def _unheard(lines: Iterable[_Line]) -> list[_Line]:
    return [(entry, status) for entry, status in lines if status.unheard]


def _braked(lines: Iterable[_Line]) -> list[_Line]:
    return [(entry, status) for entry, status in lines if status.braked_at is not None]


def _section(title: Sentence, text: Sequence[str]) -> Iterator[Block]:
    if text:
        more = len(text) - _MOST_LINES
        rest = [Sentence("and {number} more", number=more)] if more > 0 else []
        yield Bullets(title, (*text[:_MOST_LINES], *rest))


def _who(name: str, lab_id: str, owner: str) -> Sentence:
    return Sentence("{name} ({id}, {owner})", name=name, id=lab_id, owner=owner.rpartition("/")[2])


def _told(line: _Line, text: str) -> Sentence:
    entry, _ = line
    return Sentence("{who}: {text}", who=_who(entry.name, entry.lab_id, entry.owner), text=clause(text))


def _done(line: _Line) -> Sentence:
    entry, status = line
    told = _told(line, entry.reason)
    if not status.saved_usd:
        return told
    return Sentence("{told}; {amount} saved", told=told, amount=usd(status.saved_usd))


def _unsettled(line: _Line) -> Sentence:
    entry, status = line
    due = Moment(entry.at)
    if status.outcome is EntryOutcome.ACTING:
        return _told(line, Sentence("being acted on, due {at}", at=due))
    return _told(line, Sentence("still to come, due {at}", at=due))


def _describe_blocked(lab: Lab) -> Sentence:
    return Sentence(
        "{who} since {day}: {reason}",
        who=_who(lab.name, lab.id, lab.owner),
        day=Moment(lab.phase_since),
        reason=clause(lab.reason) if lab.reason else Sentence("no reason was kept"),
    )


def _describe_unheard(line: _Line) -> Sentence:
    """The owner whose mail bounced, why, and the person who was told instead; the notice period counts from then."""
    entry, status = line
    back = Listed(
        [
            Sentence("mail to {recipient} came back, {why}", recipient=each.recipient, why=each.why)
            for each in status.unheard
        ],
        between="; ",
    )
    who = _who(entry.name, entry.lab_id, entry.owner)
    if status.warned_at is None:
        return Sentence("{who}: {back}; nobody else could be warned", who=who, back=back)
    return Sentence(
        "{who}: {back}; {recipient} was warned instead, {at}",
        who=who,
        back=back,
        recipient=status.recipient or "",
        at=Moment(status.warned_at),
    )


def _describe_brake(braked: Sequence[_Line], rules: CurfewRules) -> Sentence:
    """Which entries it held and how to raise it; it may have been raised already, and labs touched since."""
    since = len(_with(braked, EntryOutcome.ENDED)) + len(_with(braked, EntryOutcome.HIBERNATED))
    held = Sentence("The brake held {labs}.", labs=counted(len(braked), "lab"))
    if since:
        held = Sentence("{held} It was raised since, and {number} of them touched.", held=held, number=since)
    return Sentence(
        "{held} A night takes {percent} % of the labs alive, and {most} at most; `ekslab curfew --set maxPercent=N`, or "
        "maxCount, changes that.",
        held=held,
        percent=rules.max_percent,
        most=counted(rules.max_count, "lab"),
    )


def nights_to_report(now: datetime, zone: str, hour: int) -> tuple[date, ...]:
    """The nights whose report hour has passed in the installation's zone, newest first."""
    local = now.astimezone(ZoneInfo(zone))
    newest = local.date() - timedelta(days=1 if local.hour >= hour else 2)
    return tuple(newest - timedelta(days=back) for back in range(BACK))


def is_settled(plan: Plan) -> bool:
    """Whether the plan is finished."""
    return all(status.outcome in SETTLED for _, status in plan.lines)
