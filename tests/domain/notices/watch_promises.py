"""The watch's invariants over a cluster's life, each written without the rules that it checks."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta

from chalicelib.domain.core.message import Severity
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind
from chalicelib.domain.notices.reminders import REMINDER_DAYS
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind
from tests.domain.notices.watch_life import ADMINISTRATORS, OWNER, RULES, TEAM, Life, Run

DAY = timedelta(days=1)
TELLINGS = (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)


def every_rung_is_told_once_due(life: Life) -> None:
    """After every run, each recipient of a due reminder has been sent a message since its due time."""
    for run in life.runs:
        for deadline in () if run.watched.gone_at else run.watched.support.deadlines:
            for recipient, first_rung in ((OWNER, 180), (TEAM, 30), (ADMINISTRATORS, 7)):
                due = last_due(deadline, first_rung, run.now)
                if due is not None and must_speak(run, deadline, due, recipient):
                    text = [
                        n for n in life.notices.values() if n.deadline_id == deadline.id and n.recipient == recipient
                    ]
                    since = [n for n in text if n.kind in TELLINGS and due <= n.decided_at <= run.now]
                    assert [n for n in since if n.id in run.delivered], (
                        f"{run.now}: {recipient} not told of {deadline.id}"
                    )


def nothing_is_told_twice(life: Life) -> None:
    """Per deadline and recipient no reminder is repeated, nor followed by an earlier one; only a crash repeats, once each."""
    for run in life.runs:
        subjects = [(n.deadline_id, n.recipient) for n in run.fresh if n.kind in TELLINGS]
        assert len(subjects) == len(set(subjects))
    decided = [notice for run in life.runs for notice in run.fresh]
    assert len({notice.id for notice in decided}) == len(decided)
    for notice in decided:
        earlier = [n for n in decided if _same_subject(n, notice) and n.decided_at < notice.decided_at]
        assert all(n.decided_at < notice.due_at and n.due_at < notice.due_at for n in earlier)
        assert life.sent[notice.id] <= 1 + len(life.scenario.crashes)


def what_is_over_is_silent(life: Life) -> None:
    """A reminder is only of a current deadline; a deleted cluster is reported once to its earlier recipients, and never again."""
    gone_before = False
    for run in life.runs:
        holding = {d.id for d in (run.watched.support.begun, *run.watched.support.deadlines) if d}
        for notice in run.fresh:
            if notice.kind is NoticeKind.DEADLINE:
                assert run.watched.gone_at is None
                assert notice.deadline_id in holding
        if run.watched.gone_at is not None:
            assert all(notice.kind is NoticeKind.SOLVED for notice in run.fresh)
            assert not (gone_before and run.fresh)
        gone_before = run.watched.gone_at is not None


def the_end_is_told_to_those_who_were_told(life: Life) -> None:
    """The last recipient of a deadline of a former version gets one message about its end."""
    last = life.runs[-1]
    for notice in life.notices.values():
        left = last.watched.gone_at is not None or notice.deadline_id.split("#")[1] != last.watched.cluster.version
        if notice.kind is NoticeKind.DEADLINE and left and not _later(life, notice):
            ends = [n for n in life.notices.values() if n.decided_at >= notice.decided_at and _ends(n, notice)]
            assert ends, f"no end of {notice.id}"
            assert len([n for n in ends if n.kind is NoticeKind.SOLVED]) <= 1


def nobody_is_left_believing_what_is_over(life: Life) -> None:
    """After every run, each recipient's last message about a deadline holds; and only deadlines believed open are solved."""
    believed: dict[tuple[str, str], Notice] = {}
    for run in life.runs:
        for notice in run.fresh:
            over = [who for who, text in believed.items() if _ends(notice, text)]
            assert over or notice.kind is not NoticeKind.SOLVED, f"{run.now}: {notice.id} ends nothing"
            believed = {who: text for who, text in believed.items() if who not in over}
        believed |= {(n.recipient, n.deadline_id[:-10]): n for n in run.fresh if n.kind in TELLINGS}
        holding = {d.id for d in (run.watched.support.begun, *run.watched.support.deadlines) if d}
        for text in believed.values():
            assert run.watched.gone_at is None, f"{run.now}: no end of {text.id}"
            assert text.deadline_id in holding, f"{run.now}: no end of {text.id}"


def only_what_aws_did_is_called_its_doing(life: Life) -> None:
    """The forced upgrade is reported in the run that found another version, after the old version's deadline."""
    assert not [n for n in life.runs[0].fresh if n.kind is NoticeKind.UPGRADED_BY_AWS]
    for before, run in itertools.pairwise(life.runs):
        if any(notice.kind is NoticeKind.UPGRADED_BY_AWS for notice in run.fresh):
            assert before.watched.cluster.version != run.watched.cluster.version, f"{run.now}: nobody upgraded it"
            forced = [d for d in before.watched.support.deadlines if d.kind is DeadlineKind.FORCED_UPGRADE]
            assert any(d.at <= run.now for d in forced), f"{run.now}: it was not due"


def no_day_is_off(life: Life) -> None:
    """Deadlines are on AWS's own day at midnight UTC, and reminders are due whole days before."""
    for run in life.runs[-1:]:
        version = life.versions[run.watched.cluster.version]
        days = {datetime.combine(d, time(), UTC) for d in (version.standard_ends, version.extended_ends)}
        for deadline in run.watched.support.deadlines:
            assert deadline.at in days or run.watched.gone_at
            assert f"{deadline.at:%z}" == "+0000"
            assert deadline.id.endswith(f"{deadline.at.date()}")
    for notice in life.notices.values():
        if notice.kind is NoticeKind.DEADLINE and notice.reminder is not None:
            assert f"{notice.due_at + notice.reminder * DAY:%Y-%m-%dT%H:%M}" == f"{notice.deadline_id[-10:]}T00:00"


def lateness_is_told(life: Life) -> None:
    """Delayed by the whole days from the first possible run to the actual one; never without a missed run."""
    for run in life.runs:
        for notice in run.fresh:
            if notice.kind is NoticeKind.DEADLINE and not run.watched.snoozed_until:
                since = max(notice.due_at, run.watched.armed_at or notice.due_at)
                assert notice.late_by_days == max((run.now - since) // DAY, 0)
                if not life.scenario.missed and not run.watched.acknowledged_by:
                    assert notice.late_by_days == 0


def it_gets_louder(life: Life) -> None:
    """For one deadline and recipient the forced upgrade's severity never falls, and more recipients follow at 30 and 7 days."""
    for notice in life.notices.values():
        if notice.kind is not NoticeKind.DEADLINE or notice.reminder is None:
            continue
        assert {Audience.OWNER: 180, Audience.TEAM: 30, Audience.ADMINISTRATORS: 7}[notice.audience] >= notice.reminder
        if notice.deadline_id.startswith(DeadlineKind.FORCED_UPGRADE):
            nearer = [n for n in life.notices.values() if n.deadline_id == notice.deadline_id and n.kind is notice.kind]
            for n in nearer:
                if n.reminder is not None and n.reminder < notice.reminder:
                    assert list(Severity).index(n.severity) >= list(Severity).index(notice.severity)


def the_same_facts_decide_the_same(life: Life) -> None:
    """A repeated decision changes nothing, in any order of the history."""
    for run in life.runs[-3:]:
        history = [n for n in life.notices.values() if n.decided_at < run.now]
        again = life.decide(run.watched, history[::-1], RULES, run.now)
        assert [n.id for n in again] == [n.id for n in run.fresh]
        assert not life.decide(run.watched, [*history, *run.fresh], RULES, run.now)


PROMISES = (
    every_rung_is_told_once_due,
    nothing_is_told_twice,
    what_is_over_is_silent,
    the_end_is_told_to_those_who_were_told,
    nobody_is_left_believing_what_is_over,
    only_what_aws_did_is_called_its_doing,
    no_day_is_off,
    lateness_is_told,
    it_gets_louder,
    the_same_facts_decide_the_same,
)


def last_due(deadline: Deadline, first_rung: int, now: datetime) -> datetime | None:
    """The last due instant before `now`, of the default escalation from a reminder on."""
    due = [deadline.at - reminder * DAY for reminder in REMINDER_DAYS if reminder <= first_rung]
    due += [deadline.at + 7 * week * DAY for week in range(1, 120)]
    return max((instant for instant in due if instant <= now), default=None)


def must_speak(run: Run, deadline: Deadline, due: datetime, recipient: str) -> bool:
    """Without acknowledgement or snooze, or in the last week, when owners are always notified; no lease ends first."""
    if run.watched.support.lease_first:
        return False
    last_week = due >= deadline.at - 7 * DAY
    if run.watched.acknowledged_deadline == deadline.id:
        return last_week and recipient == OWNER
    snoozed = run.watched.snoozed_until is not None and run.now < run.watched.snoozed_until
    return last_week or not snoozed


def _same_subject(one: Notice, other: Notice) -> bool:
    return (one.kind, one.deadline_id, one.recipient) == (other.kind, other.deadline_id, other.recipient)


def _later(life: Life, notice: Notice) -> bool:
    """Whether this recipient was later notified of the same deadline, on this or another day."""
    subject = notice.deadline_id[:-10]
    return any(
        n.decided_at > notice.decided_at and n.deadline_id[:-10] == subject and n.recipient == notice.recipient
        for n in life.notices.values()
        if n.kind in TELLINGS
    )


def _ends(end: Notice, notice: Notice) -> bool:
    if end.recipient != notice.recipient:
        return False
    if end.kind is NoticeKind.UPGRADED_BY_AWS:
        return end.deadline_id.split("#")[1] != notice.deadline_id.split("#")[1]
    return end.kind is NoticeKind.SOLVED and end.deadline_id == notice.deadline_id
