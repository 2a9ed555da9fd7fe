"""Examines a group of due labs of one place: loads their facts, has `domain/curfew/look.py` decide, and writes the decisions.

The evidence of the whole group is read in as few calls as possible, and only of labs that need a judgement now. A lab is
marked as planned before its entry is published, so that a run that dies in between plans it once only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import assert_never

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence, joined, opening
from chalicelib.domain.curfew.decision import exemption, is_protected, shield_of
from chalicelib.domain.curfew.look import (
    ActOnEntry,
    LookContext,
    LookDecision,
    LookLater,
    PlanEvent,
    PutOffEnd,
    WakeLab,
    decide_look,
)
from chalicelib.domain.curfew.next_event import SOON, NextEvent, event_after, next_event
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, PlanLine, Trigger
from chalicelib.domain.curfew.plan_entry import KnownLab, plan_entry, planned_for
from chalicelib.domain.curfew.wakeup import Waking
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, format_local
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.workflows.night.call_off import close, spare, tell_put_off
from chalicelib.workflows.night.outcomes import (
    KIND,
    change_unless_changed,
    line_of,
    note_missed,
    skip_entry,
)
from chalicelib.workflows.night.region import Region, note_seen
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.records import WATCH


@dataclass(frozen=True)
class DueLab:
    """A due lab, its line of a plan if one stands, and the next event that it faces otherwise."""

    lab: Lab
    line: PlanLine | None
    faces: NextEvent


@dataclass
class Examination:
    """One group's look. `new`: entries to publish after every look; `due`: entries to act on.

    `lost`: labs that could not be looked at, with the reason. `seen`: each look, with the evidence of the lab's use.
    """

    region: Region
    new: list[tuple[Lab, Entry]] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    due: list[dict[str, str]] = field(default_factory=list)
    seen: list[tuple[DueLab, Evidence | None]] = field(default_factory=list)

    @property
    def run(self) -> NightRun:
        """The step that this look is a part of."""
        return self.region.run

    def look(self, ids: Sequence[str]) -> None:
        """Decide for each lab, write the decisions, and publish the new entries. A lab changed meanwhile is looked at once more."""
        self._look(self._look(ids))
        self._publish()
        for each, evidence in self.seen:
            with self.run.around(Sentence("the price of {lab}", lab=each.lab.id)):
                note_seen(self.region, each.lab, evidence)

    def _look(self, ids: Sequence[str]) -> list[str]:
        """Load the labs, judge those that need it, decide for each, write the decisions. Return those that somebody changed."""
        due, changed = self._load(ids), []
        evidence = self._evidence([each.lab for each in due if self._needs_judging(each)])
        for each in due:
            with self._alone(each.lab.id):
                seen = evidence.get(each.lab.id)
                self.seen.append((each, seen))
                context = self._context(each, seen)
                try:
                    self._write(context, decide_look(context), seen)
                except Superseded:
                    self.run.counts["changed_meanwhile"] += 1
                    changed.append(each.lab.id)
        return changed

    @contextmanager
    def _alone(self, lab_id: str) -> Iterator[None]:
        """Record a failure inside against this lab; it does not affect the others."""
        with self.run.around(lab_id) as failed:
            yield
        if failed:
            self.lost[lab_id] = str(failed[0])

    def _load(self, ids: Sequence[str]) -> list[DueLab]:
        """The labs that are still due, each with its line of a plan, or taken off the plan if the line is settled."""
        found = []
        for lab_id in ids:
            with self._alone(lab_id):
                lab = self.run.deps.store.load_lab(lab_id)
                if lab.phase in RESTING and lab.due_at is not None and lab.due_at <= self.run.now:
                    self.run.counts["looked_at"] += 1
                    found += self._with_line(lab)
        return found

    def _with_line(self, lab: Lab) -> list[DueLab]:
        """Empty for a lab that just came off the plan and has no event soon."""
        run, holidays = self.run, self.run.deps.curfew.holidays
        line = line_of(run, lab)
        if line is None or (free := self._freed(lab, line)) is None:
            return [DueLab(lab, line, next_event(lab, run.rules, run.now, holidays))]
        if free.phase is not Phase.READY or free.due_at != run.now + SOON:
            return []
        return [DueLab(free, None, event_after(free, line.entry, run.rules, run.now, holidays))]

    def _freed(self, lab: Lab, line: PlanLine) -> Lab | None:
        """The lab off the plan, if its entry is settled or it was exempted; None if the entry stands."""
        entry, status = line
        if status.outcome in SETTLED:
            return close(self.run, lab, line)
        standing = status.outcome is EntryOutcome.STANDING
        exempt = exemption(lab, entry, self.run.deps.curfew.holidays) if standing else ""
        if not exempt:
            return None
        self.run.counts["skipped"] += 1
        if is_protected(lab, entry):
            return spare(self.run, lab, line, exempt)
        return skip_entry(self.run, lab, entry, exempt)

    def _needs_judging(self, due: DueLab) -> bool:
        if due.lab.phase is not Phase.READY:
            return False
        if due.line is None:
            return due.faces.look_at(self.run.rules) <= self.run.now
        return due.line.entry.trigger is Trigger.IDLE and due.line.entry.at <= self.run.now

    def _evidence(self, labs: Sequence[Lab]) -> Mapping[str, Evidence]:
        if not labs:
            return {}
        window = timedelta(hours=self.run.rules.window_hours)
        return self.run.deps.curfew.signals(self.region.place).read(labs, self.run.now, window)

    def _context(self, due: DueLab, evidence: Evidence | None) -> LookContext:
        """The facts of one look. Asks EKS only for facts that the decision needs."""
        run, entry = self.run, due.line.entry if due.line else None
        context = LookContext(due.lab, entry, due.faces, run.rules, run.now, holidays=run.deps.curfew.holidays)
        if evidence is not None:
            return self._judged(context, evidence)
        if due.lab.phase is Phase.HIBERNATED and (entry is None or run.now < entry.at):
            return self._asleep(context)
        return context

    def _judged(self, context: LookContext, evidence: Evidence) -> LookContext:
        """The facts with the lab's verdict, which is stored."""
        lab, unplanned = context.lab, context.entry is None
        verdict = judge(lab, evidence, context.rules, context.now)
        self.run.store.put_verdict(verdict)
        limit = self.run.limit_of(lab) if unplanned and not verdict.idle else None
        sleeps = limit is not None or (unplanned and verdict.idle and context.faces.act is AtCurfew.HIBERNATE)
        policy = str(lab.spec.support_policy)
        return replace(
            context,
            verdict=verdict,
            shield=shield_of(evidence.cluster_tags, evidence.deletion_protection),
            unseen=evidence.cluster_status is None and not verdict.gone,
            gone=verdict.gone,
            upgrade_at=self.region.upgrade_ahead(lab.kubernetes_version, policy) if sleeps else None,
            limit=limit,
        )

    def _asleep(self, context: LookContext) -> LookContext:
        """The facts with EKS's state of a sleeping lab's cluster."""
        cluster = own_cluster(self.run.deps, context.lab)
        if cluster is None:
            return replace(context, gone=True)
        at = self.region.upgrade_ahead(cluster.version, cluster.support_type)
        return replace(context, shield=shield_of(cluster.tags, cluster.deletion_protection), upgrade_at=at)

    def _write(self, context: LookContext, decision: LookDecision, evidence: Evidence | None) -> None:
        lab = context.lab
        if context.entry is None:
            note_missed(self.run, lab, "")
        match decision:
            case ActOnEntry():
                night, entry_id = decision.entry.night.isoformat(), decision.entry.id
                self.due.append({"lab_id": lab.id, "night": night, "entry_id": entry_id})
            case WakeLab():
                self._wake(lab, decision.waking)
            case PlanEvent():
                self._note_passed(context, decision.passed)
                self._mark_planned(context, decision.event, evidence)
            case LookLater():
                self._note_passed(context, decision.passed)
                self._look_again(lab, decision.at, decision.waking)
            case PutOffEnd():
                self._note_passed(context, decision.passed)
                tell_put_off(self.run, lab, decision.event, context.shield)
                self._look_again(lab, decision.at, decision.waking)
                self.run.counts["put_off"] += 1
            case _:
                assert_never(decision)

    def _look_again(self, lab: Lab, at: datetime, waking: Waking | None) -> None:
        def later(stored: Lab) -> Lab:
            if waking is None or stored.hibernation is None:
                return replace(stored, due_at=at)
            return replace(stored, due_at=at, hibernation=replace(stored.hibernation, wake_at=waking.by_clock))

        change_unless_changed(self.run, lab, later)

    def _note(self, lab: Lab, message: str, **facts: str) -> None:
        self.run.deps.store.add_event(lab.id, Event(self.run.now, KIND, message, facts))

    def _note_passed(self, context: LookContext, why: str) -> None:
        if not why:
            return
        lab, faces = context.lab, context.faces
        message = Sentence(
            "The lab is not on the plan for the curfew of {at}: {why}",
            at=format_local(lab.spec.schedule, faces.at),
            why=why,
        )
        self._note(lab, message, night=faces.night.isoformat())
        self.run.counts["in_use"] += 1

    def _wake(self, lab: Lab, waking: Waking) -> None:
        now = self.run.now

        def woken(stored: Lab) -> Lab:
            return replace(stored.moved_to(Phase.WAKING, now), run=stored.run + 1, due_at=now + WATCH)

        changed = change_unless_changed(self.run, lab, woken)
        self._note(lab, joined((Sentence("The lab wakes up."), waking.reason)), phase=str(changed.phase))
        payload = {"lab_id": lab.id, "time": now.isoformat()}
        self.run.deps.workflows.start("wake", execution_name(changed, "wake"), payload)
        self.run.counts["woken"] += 1

    def _mark_planned(self, context: LookContext, event: NextEvent, evidence: Evidence | None) -> None:
        lab, extended = context.lab, self.region.is_billed_extended(context.lab)
        known = KnownLab(self.region.prices, extended, evidence, context.shield, context.verdict, context.limit)
        entry = plan_entry(lab, event, known, self.run.now)
        marked = change_unless_changed(self.run, lab, lambda stored: planned_for(stored, entry))
        self.new.append((marked, entry))

    def _publish(self) -> None:
        """Publish each night's new entries in one write; labs whose entry could not be published stay due."""
        for night in sorted({entry.night for _, entry in self.new}):
            mine = [(lab, entry) for lab, entry in self.new if entry.night == night]
            with self.run.around(Sentence("the plan of {night}", night=str(night))) as failed:
                self.run.store.publish(night, [entry for _, entry in mine], self.run.now)
            for lab, entry in mine:
                with self._alone(lab.id):
                    if failed:
                        raise failed[0]
                    self._note_planned(lab, entry)

    def _note_planned(self, lab: Lab, entry: Entry) -> None:
        what = (
            Sentence("The lab goes to sleep on {at}, unless it is kept.")
            if entry.act is AtCurfew.HIBERNATE
            else Sentence("The lab ends on {at}.")
            if entry.trigger is Trigger.GONE
            else Sentence("The lab ends on {at}, unless it is kept.")
        )
        at = what.with_slots(at=format_local(lab.spec.schedule, entry.at))
        self._note(lab, joined((at, opening(entry.reason))), entry=entry.id)
        wakes = lab.hibernation.wake_at if lab.hibernation else None
        due_at = min(entry.at, wakes) if wakes and wakes > self.run.now else entry.at
        change_unless_changed(self.run, lab, lambda stored: replace(stored, due_at=due_at))
        self.run.counts["planned"] += 1
