"""The night's one message to administrators: counts, money, every lab with why, and what needs a hand.

Called once a night by the sweep. A calm night is three lines; a section is there only if it has something to say, and a
long one is cut with a count, since `ekslab get plan` has every line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import counted, format_day, paragraph
from chalicelib.domain.costs import usd
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Plan
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.labs.lab import Lab

KIND = "curfew-report"
#: Lines of a section that are told.
_MOST_LINES = 50
#: SNS: fewer than 100 characters.
_MOST_SUBJECT = 99
_Line = tuple[Entry, EntryStatus]
_MODES = {
    Mode.OFF: "Curfew is off: nothing is planned, warned about or touched until `ekslab curfew on`.",
    Mode.DRY_RUN: "Curfew is a dry run: it plans, and neither warns anybody nor touches anything.",
}
_BROKEN = "The plan is not what was published: its hash differs. Nothing was done, and nothing on it will be."
_OVERDUE = "Past their last end, and there still"
#: How many nights back an unsent report is made up for.
BACK = 3


def report_message(
    night: date,
    plan: Plan | None,
    rules: CurfewRules,
    blocked: Sequence[Lab],
    orphans: Sequence[str],
    troubles: Sequence[str],
    recipient: str,
    *,
    overdue: Sequence[str] = (),
) -> Message:
    """What became of `night`. `orphans`, `troubles` and `overdue` (labs past their last end): a sentence each."""
    lines = plan.lines if plan else ()
    whole = plan is None or plan.is_whole
    trouble = (
        _undelivered(lines)
        or _unheard(lines)
        or _braked(lines)
        or blocked
        or orphans
        or troubles
        or overdue
        or not whole
    )
    if not lines and not trouble and rules.mode is Mode.ON:
        text = "calm"
        body = _calm(night)
    else:
        text = _counts(lines) + (f", {len(blocked)} blocked" if blocked else "")
        others = (*_section("Blocked", [_describe_blocked(lab) for lab in blocked]), *_section(_OVERDUE, overdue))
        others += (*_section("Clusters without a lab", orphans), *_section("Troubles", troubles))
        body = "\n\n".join(_pieces(night, lines, whole, rules, others)) + "\n"
    return Message(
        recipient=recipient,
        subject=f"ekslab: night of {format_date(night)}: {text}"[:_MOST_SUBJECT],
        body=body,
        kind=KIND,
        severity=Severity.WARNING if trouble else Severity.INFO,
        account="",
        owner="",
    )


def format_date(day: date) -> str:
    """`Mon 23 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b} {day.year}"


def _calm(night: date) -> str:
    return (
        f"Curfew, {format_date(night)}: a calm night.\n"
        "Nothing was planned; nothing is blocked or without a lab, and everything could be read.\n"
        f"ekslab get plan {night}\n"
    )


def _pieces(
    night: date,
    lines: Sequence[_Line],
    whole: bool,
    rules: CurfewRules,
    others: Sequence[str],
) -> Iterator[str]:
    yield paragraph(_opening(night, lines))
    if rules.mode in _MODES:
        yield paragraph(_MODES[rules.mode])
    if not whole:
        yield paragraph(_BROKEN)
    if braked := _braked(lines):
        yield paragraph(_describe_brake(braked, rules))
    yield from _section("Ended", [_done(line) for line in _with(lines, EntryOutcome.ENDED)])
    yield from _section("Put to sleep", [_done(line) for line in _with(lines, EntryOutcome.HIBERNATED)])
    yield from _section("Skipped", [_skipped(line) for line in _with(lines, EntryOutcome.SKIPPED)])
    open_lines = [*_with(lines, EntryOutcome.ACTING), *_with(lines, EntryOutcome.STANDING)]
    yield from _section("Not settled yet", [_unsettled(line) for line in open_lines])
    yield from _section("Warnings not delivered", [_describe_undelivered(line) for line in _undelivered(lines)])
    yield from _section("Warnings that came back", [_describe_unheard(line) for line in _unheard(lines)])
    yield from others
    yield f"Every line with its reason: ekslab get plan {night}"


def _opening(night: date, lines: Sequence[_Line]) -> str:
    if not lines:
        return f"Curfew, {format_date(night)}: nothing was planned."
    saved_usd = sum(status.saved_usd for _, status in lines)
    money = f" About {usd(saved_usd)} saved." if saved_usd else ""
    return f"Curfew, {format_date(night)}: {counted(len(lines), 'lab')} planned; {_counts(lines)}.{money}"


def _counts(lines: Sequence[_Line]) -> str:
    """`2 ended, 1 put to sleep, 3 skipped`."""
    words = {EntryOutcome.ENDED: "ended", EntryOutcome.HIBERNATED: "put to sleep", EntryOutcome.SKIPPED: "skipped"}
    numbers = {text: len(_with(lines, outcome)) for outcome, text in words.items()}
    numbers["not settled yet"] = len(lines) - sum(numbers.values())
    return ", ".join(f"{number} {text}" for text, number in numbers.items() if number) or "nothing planned"


def _with(lines: Iterable[_Line], outcome: EntryOutcome) -> list[_Line]:
    return [line for line in lines if line[1].outcome is outcome]


def _undelivered(lines: Iterable[_Line]) -> list[_Line]:
    return [(entry, status) for entry, status in lines if status.trouble and status.warned_at is None]


def _unheard(lines: Iterable[_Line]) -> list[_Line]:
    return [(entry, status) for entry, status in lines if status.unheard]


def _braked(lines: Iterable[_Line]) -> list[_Line]:
    return [(entry, status) for entry, status in lines if status.braked_at is not None]


def _section(title: str, text: Sequence[str]) -> Iterator[str]:
    if text:
        shown = [paragraph(line, "    ", "  ") for line in text[:_MOST_LINES]]
        rest = [f"  and {len(text) - _MOST_LINES} more"] if len(text) > _MOST_LINES else []
        yield "\n".join([f"{title}:", *shown, *rest])


def _who(entry: Entry) -> str:
    return f"{entry.name} ({entry.lab_id}, {entry.owner.rpartition('/')[2]})"


def _done(line: _Line) -> str:
    entry, status = line
    money = f"; {usd(status.saved_usd)} saved" if status.saved_usd else ""
    return f"{_who(entry)}: {entry.reason.rstrip('. ')}{money}"


def _skipped(line: _Line) -> str:
    entry, status = line
    return f"{_who(entry)}: {status.reason.rstrip('. ') or 'no reason was kept'}"


def _unsettled(line: _Line) -> str:
    entry, status = line
    state = "being acted on" if status.outcome is EntryOutcome.ACTING else "still to come"
    return f"{_who(entry)}: {state}, due {entry.at:%H:%M} UTC"


def _describe_undelivered(line: _Line) -> str:
    entry, status = line
    return f"{_who(entry)}: {status.trouble.rstrip('. ')}"


def _describe_unheard(line: _Line) -> str:
    """Whose mail came back, why, and who was told after, from which the notice counts."""
    entry, status = line
    back = "; ".join(f"mail to {each.recipient} came back, {each.why}" for each in status.unheard)
    after = "nobody else could be warned"
    if status.warned_at is not None:
        after = (
            f"{status.recipient} was warned instead on {format_day(status.warned_at)} at {status.warned_at:%H:%M} UTC"
        )
    return f"{_who(entry)}: {back}; {after}"


def _describe_blocked(lab: Lab) -> str:
    reason = (lab.reason or "no reason was kept").rstrip(". ")
    return f"{lab.name} ({lab.id}, {lab.owner.rpartition('/')[2]}) since {format_day(lab.phase_since)}: {reason}"


def _describe_brake(braked: Sequence[_Line], rules: CurfewRules) -> str:
    """What it held and how to raise it; it may have been raised already, and labs touched since."""
    since = len(_with(braked, EntryOutcome.ENDED)) + len(_with(braked, EntryOutcome.HIBERNATED))
    after = f" It was raised since, and {since} of them touched." if since else ""
    return (
        f"The brake held {counted(len(braked), 'lab')}.{after} A night takes {rules.max_percent} % of the labs alive, and "
        f"{counted(rules.max_count, 'lab')} at most; `ekslab curfew --set maxPercent=N`, or maxCount, changes that."
    )


def nights_to_report(now: datetime, zone: str, hour: int) -> tuple[date, ...]:
    """The nights whose report hour has passed in the installation's zone, newest first."""
    local = now.astimezone(ZoneInfo(zone))
    newest = local.date() - timedelta(days=1 if local.hour >= hour else 2)
    return tuple(newest - timedelta(days=back) for back in range(BACK))


def is_settled(plan: Plan) -> bool:
    """Whether nothing more happens on this plan."""
    return all(status.outcome in SETTLED for _, status in plan.lines)
