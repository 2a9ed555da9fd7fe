"""Examines a group of due labs of one account's region: loads facts, judges use, decides (`domain/curfew/look.py`), and writes.

Evidence of use is read for the group in as few calls as possible, and only for labs that need a verdict now. A lab that comes off
the plan is decided once more. A lab is marked as planned before its entry is published, so that a run that dies in between plans
it only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import assert_never

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence, joined, opening, reason_of
from chalicelib.domain.curfew.decision import shield_of
from chalicelib.domain.curfew.look import (
    ActOnEntry,
    FreeEntry,
    LookContext,
    LookDecision,
    LookLater,
    PlanEvent,
    PutOffEnd,
    WakeLab,
    Waking,
    decide_look,
    free_entry,
    needs_verdict,
    without_entry,
)
from chalicelib.domain.curfew.next_event import NextEvent, next_event
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.plan_entry import plan_entry, planned_for
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, format_local
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.workflows.night.call_off import close_entry, skip, tell_put_off
from chalicelib.workflows.night.outcomes import KIND, change_unless_changed, line_of, note_missed
from chalicelib.workflows.night.region import Region, note_seen
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.records import WATCH


@dataclass
class Examination:
    """The look at one group. `new`: entries to publish after all looks; `due`: entries to act on.

    `lost`: labs that could not be looked at, with the reason. `seen`: each lab with the evidence of its use, if that was read.
    """

    region: Region
    new: list[tuple[Lab, Entry]] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    due: list[dict[str, str]] = field(default_factory=list)
    seen: list[tuple[Lab, Evidence | None]] = field(default_factory=list)

    @property
    def run(self) -> NightRun:
        """The step that this look is a part of."""
        return self.region.run

    def look(self, ids: Sequence[str]) -> None:
        """Decide for each lab, write the decisions, and publish the new entries. A lab changed meanwhile is looked at once more."""
        changed = self._look(ids)
        self._look(changed)
        self._publish()
        for lab, evidence in self.seen:
            with self.run.around(Sentence("the price of {lab}", lab=lab.id)):
                note_seen(self.region, lab, evidence)

    def _look(self, ids: Sequence[str]) -> list[str]:
        """Load the labs, judge those that need it, decide for each, write the decisions. Return the labs that somebody changed.

        Labs come off the plan first: reading evidence takes minutes, after which the reason may be out of date.
        """
        changed = list[str]()
        loaded = [freed for each in self._load(ids) for freed in self._freed(each, changed)]
        evidence = self._evidence([each.lab for each in loaded if needs_verdict(each)])
        for context in loaded:
            with self._unless_changed(context.lab.id, changed):
                self._decide(context, evidence.get(context.lab.id))
        return changed

    @contextmanager
    def _unless_changed(self, lab_id: str, changed: list[str]) -> Iterator[None]:
        """Like `_alone`; a lab that somebody changed meanwhile is added to `changed`."""
        with self._alone(lab_id):
            try:
                yield
            except Superseded:
                self.run.counts["changed_meanwhile"] += 1
                changed.append(lab_id)

    def _freed(self, context: LookContext, changed: list[str]) -> list[LookContext]:
        """Take a lab off the plan if its entry is settled or exempt; return the facts to decide by, if a decision is due now."""
        free = free_entry(context)
        if free is None:
            return [context]
        again: LookContext | None = None
        with self._unless_changed(context.lab.id, changed):
            again = without_entry(context, self._free(context.lab, free))
        return [] if again is None else [again]

    @contextmanager
    def _alone(self, lab_id: str) -> Iterator[None]:
        """Record a failure inside against this lab; it does not affect the others."""
        with self.run.around(lab_id) as failed:
            yield
        if failed:
            self.lost[lab_id] = reason_of(failed[0])

    def _load(self, ids: Sequence[str]) -> list[LookContext]:
        """The labs that are due, each with its line of a plan and its next event."""
        loaded: list[LookContext] = []
        for lab_id in ids:
            with self._alone(lab_id):
                lab = self.run.deps.store.load_lab(lab_id)
                if lab.phase in RESTING and lab.due_at is not None and lab.due_at <= self.run.now:
                    self.run.counts["looked_at"] += 1
                    loaded.append(self._context(lab))
        return loaded

    def _context(self, lab: Lab) -> LookContext:
        """The facts that the table has."""
        rules, now, holidays = self.run.rules, self.run.now, self.run.deps.curfew.holidays
        event = next_event(lab, rules, now, holidays)
        return LookContext(lab, line_of(self.run, lab), event, rules, now, holidays=holidays)

    def _evidence(self, labs: Sequence[Lab]) -> Mapping[str, Evidence]:
        if not labs:
            return {}
        window = timedelta(hours=self.run.rules.window_hours)
        return self.run.deps.curfew.signals(self.region.place).read(labs, self.run.now, window)

    def _decide(self, context: LookContext, evidence: Evidence | None) -> None:
        """Add the facts, decide, and write the decision."""
        self.seen.append((context.lab, evidence))
        context = self._with_facts(context, evidence)
        self._write(context, decide_look(context), evidence)

    def _with_facts(self, context: LookContext, evidence: Evidence | None) -> LookContext:
        """Add the facts that the decision needs: the verdict on a lab in use, or EKS's state of a sleeping lab's cluster."""
        entry = context.entry
        if evidence is not None:
            return self._judged(context, evidence)
        if context.lab.phase is Phase.HIBERNATED and (entry is None or context.now < entry.at):
            return self._asleep(context)
        return context

    def _judged(self, context: LookContext, evidence: Evidence) -> LookContext:
        """The facts with the lab's verdict, which is stored."""
        lab, unplanned = context.lab, context.entry is None
        verdict = judge(lab, evidence, context.rules, context.now)
        self.run.store.put_verdict(verdict)
        limit = self.run.limit_of(lab) if unplanned and not verdict.idle else None
        sleeps = limit is not None or (unplanned and verdict.idle and context.event.act is AtCurfew.HIBERNATE)
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
            case ActOnEntry(entry):
                self.due.append({"lab_id": lab.id, "night": entry.night.isoformat(), "entry_id": entry.id})
            case WakeLab(waking):
                self._wake(lab, waking)
            case PlanEvent(event, passed):
                self._note_passed(context, passed)
                self._mark_planned(context, event, evidence)
            case LookLater(at, passed, waking):
                self._note_passed(context, passed)
                self._look_again(lab, at, waking)
            case PutOffEnd(event, at, passed, waking):
                self._note_passed(context, passed)
                tell_put_off(self.run, lab, event, context.shield)
                self._look_again(lab, at, waking)
                self.run.counts["put_off"] += 1
            case _:
                assert_never(decision)

    def _free(self, lab: Lab, decision: FreeEntry) -> Lab:
        """Take the lab off the plan; return it."""
        if not decision.reason:
            return close_entry(self.run, lab, decision.line)
        return skip(self.run, lab, decision.line, decision.reason, decision.by_people)

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
        lab, event = context.lab, context.event
        message = Sentence(
            "The lab is not on the plan for the curfew of {at}: {why}",
            at=format_local(lab.spec.schedule, event.at),
            why=why,
        )
        self._note(lab, message, night=event.night.isoformat())
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
        extended = self.region.is_billed_extended(context.lab)
        entry = plan_entry(context, event, self.region.prices, extended, evidence)
        marked = change_unless_changed(self.run, context.lab, lambda stored: planned_for(stored, entry))
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
