"""Examines a group of due labs of one place: loads their facts, has `domain/curfew/look.py` decide, and writes what was decided.

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
from chalicelib.domain.curfew.messages.called_off import Called
from chalicelib.domain.curfew.messages.limit import Limit
from chalicelib.domain.curfew.next_event import SOON, NextEvent, event_after, next_event
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Trigger
from chalicelib.domain.curfew.plan_entry import KnownLab, plan_entry, planned_for
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.curfew.wakeup import Waking
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, format_local
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.ports.deps import Deps
from chalicelib.workflows.costs.limit import limits_that_sleep
from chalicelib.workflows.night.call_off import call_off, tell_put_off
from chalicelib.workflows.night.outcomes import (
    KIND,
    as_sentence,
    change_unless_changed,
    conclude,
    note_missed,
    skip_entry,
)
from chalicelib.workflows.night.region import Region, note_seen
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.shared.records import WATCH

Line = tuple[Entry, EntryStatus]


@dataclass(frozen=True)
class DueLab:
    """A due lab, its line of a plan if one stands, and the next event that it faces otherwise."""

    lab: Lab
    line: Line | None
    faces: NextEvent


@dataclass
class Examination:
    """One group's look at `now`; `new` are the entries to publish after every look, `due` the entries to act on."""

    deps: Deps
    region: Region
    rules: CurfewRules
    now: datetime
    summary: RunSummary
    new: list[tuple[Lab, Entry]] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    due: list[dict[str, str]] = field(default_factory=list)
    limits: Mapping[str, Limit] | None = None

    def look(self, ids: Sequence[str]) -> dict[str, str]:
        """Look at these labs; return those that could not be looked at, with the reason."""
        due = self._load(ids)
        evidence = self._evidence([each.lab for each in due if self._needs_judging(each)])
        for each in due:
            with self._alone(each.lab.id):
                context = self._context(each, evidence.get(each.lab.id))
                self._write(context, decide_look(context), evidence.get(each.lab.id))
        self._publish()
        for each in due:
            with self.summary.around(f"the price of {each.lab.id}"):
                note_seen(self.deps, self.region, each.lab, evidence.get(each.lab.id), self.now)
        return self.lost

    @contextmanager
    def _alone(self, lab_id: str) -> Iterator[None]:
        """A failure inside is recorded against this lab, and costs the others nothing."""
        with self.summary.around(lab_id) as failed:
            yield
        if failed:
            self.lost[lab_id] = str(failed[0])

    def _load(self, ids: Sequence[str]) -> list[DueLab]:
        """The labs that are still due, each with its line or, if that is settled, free of it."""
        found = []
        for lab_id in ids:
            with self._alone(lab_id):
                lab = self.deps.store.load_lab(lab_id)
                if lab.phase in RESTING and lab.due_at is not None and lab.due_at <= self.now:
                    self.summary.counts["looked_at"] += 1
                    found += self._with_line(lab)
        return found

    def _with_line(self, lab: Lab) -> list[DueLab]:
        """Empty for a lab that has just come off the plan, and that faces nothing soon."""
        planned, holidays = lab.planned, self.deps.curfew.holidays
        line = self.deps.curfew.store.line(planned.night, planned.entry_id) if planned else None
        if line is None or (free := self._freed(lab, line)) is None:
            return [DueLab(lab, line, next_event(lab, self.rules, self.now, holidays))]
        if free.phase is not Phase.READY or free.due_at != self.now + SOON:
            return []
        return [DueLab(free, None, event_after(free, line[0], self.rules, self.now, holidays))]

    def _freed(self, lab: Lab, line: Line) -> Lab | None:
        """The lab off the plan, if its entry is settled or its people exempted it; None if the entry stands."""
        entry, status = line
        if status.outcome in SETTLED:
            return conclude(self.deps, lab, entry, status, self.rules, self.now)
        exempt = exemption(lab, entry, self.deps.curfew.holidays) if status.outcome is EntryOutcome.STANDING else ""
        if not exempt:
            return None
        self.summary.counts["skipped"] += 1
        freed = skip_entry(self.deps, lab, entry, exempt, self.rules, self.now)
        if is_protected(lab, entry):
            call_off(self.deps, freed, line, self.rules, Called(exempt), self.now, self.summary)
        return freed

    def _needs_judging(self, due: DueLab) -> bool:
        if due.lab.phase is not Phase.READY:
            return False
        if due.line is None:
            return due.faces.look_at(self.rules) <= self.now
        return due.line[0].trigger is Trigger.IDLE and due.line[0].at <= self.now

    def _evidence(self, labs: Sequence[Lab]) -> Mapping[str, Evidence]:
        if not labs:
            return {}
        window = timedelta(hours=self.rules.window_hours)
        return self.deps.curfew.signals(self.region.place).read(labs, self.now, window)

    def _context(self, due: DueLab, evidence: Evidence | None) -> LookContext:
        """The facts of one look. The verdict is kept; EKS is asked for what the decision needs only."""
        entry, lab = due.line[0] if due.line else None, due.lab
        context = LookContext(lab, entry, due.faces, self.rules, self.now, holidays=self.deps.curfew.holidays)
        if evidence is not None:
            verdict = judge(lab, evidence, self.rules, self.now)
            self.deps.curfew.store.put_verdict(verdict)
            limit = None if verdict.idle or entry is not None else self._limit_of(lab)
            sleeps = (due.faces.act is AtCurfew.HIBERNATE and verdict.idle and entry is None) or limit is not None
            at = self._upgrade_at(lab.kubernetes_version, str(lab.spec.support_policy)) if sleeps else None
            shield = shield_of(evidence.cluster_tags, evidence.deletion_protection)
            unseen = evidence.cluster_status is None and not verdict.gone
            seen = replace(context, verdict=verdict, shield=shield, unseen=unseen, gone=verdict.gone)
            return replace(seen, upgrade_at=at, limit=limit)
        if lab.phase is Phase.HIBERNATED and (entry is None or self.now < entry.at):
            cluster = self.region.cluster_of(lab)
            if cluster is None:
                return replace(context, gone=True)
            at = self._upgrade_at(cluster.version, cluster.support_type)
            return replace(context, shield=shield_of(cluster.tags, cluster.deletion_protection), upgrade_at=at)
        return context

    def _limit_of(self, lab: Lab) -> Limit | None:
        """The month's ceiling for which the lab sleeps although it is in use. Read once for the group, if at all."""
        if self.limits is None:
            self.limits = limits_that_sleep(self.deps, self.now)
        return self.limits.get(lab.counted_as)

    def _upgrade_at(self, version: str, support_type: str | None) -> datetime | None:
        return self.region.upgrade_ahead(version, support_type, self.now)

    def _write(self, context: LookContext, decision: LookDecision, evidence: Evidence | None) -> None:
        lab = context.lab
        if context.entry is None:
            note_missed(self.deps, lab, "", self.now)
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
                tell_put_off(self.deps, lab, decision.event, context.shield, self.rules, self.now)
                self._look_again(lab, decision.at, decision.waking)
                self.summary.counts["put_off"] += 1
            case _:
                assert_never(decision)

    def _look_again(self, lab: Lab, at: datetime, waking: Waking | None) -> None:
        def later(stored: Lab) -> Lab:
            if waking is None or stored.hibernation is None:
                return replace(stored, due_at=at)
            return replace(stored, due_at=at, hibernation=replace(stored.hibernation, wake_at=waking.by_clock))

        change_unless_changed(self.deps, lab, later)

    def _note_passed(self, context: LookContext, why: str) -> None:
        if not why:
            return
        lab, faces = context.lab, context.faces
        message = f"The lab is not on the plan for the curfew of {format_local(lab.spec.schedule, faces.at)}: {why}"
        self.deps.store.add_event(lab.id, Event(self.now, KIND, message, {"night": faces.night.isoformat()}))
        self.summary.counts["in_use"] += 1

    def _wake(self, lab: Lab, waking: Waking) -> None:
        def woken(stored: Lab) -> Lab:
            return replace(stored.moved_to(Phase.WAKING, self.now), run=stored.run + 1, due_at=self.now + WATCH)

        changed = change_unless_changed(self.deps, lab, woken)
        message, payload = f"The lab wakes up. {waking.reason}", {"lab_id": lab.id, "time": self.now.isoformat()}
        self.deps.store.add_event(lab.id, Event(self.now, KIND, message, {"phase": str(changed.phase)}))
        self.deps.workflows.start("wake", execution_name(changed, "wake"), payload)
        self.summary.counts["woken"] += 1

    def _mark_planned(self, context: LookContext, event: NextEvent, evidence: Evidence | None) -> None:
        lab, extended = context.lab, self.region.is_billed_extended(context.lab, self.now)
        prices = self.deps.curfew.prices(self.region.place.region)
        known = KnownLab(prices, extended, evidence, context.shield, context.verdict, context.limit)
        entry = plan_entry(lab, event, known, self.now)
        marked = change_unless_changed(self.deps, lab, lambda stored: planned_for(stored, entry))
        self.new.append((marked, entry))

    def _publish(self) -> None:
        """Publish each night's new entries in one write; a lab whose entry could not be published is still due."""
        for night in sorted({entry.night for _, entry in self.new}):
            mine = [(lab, entry) for lab, entry in self.new if entry.night == night]
            with self.summary.around(f"the plan of {night}") as failed:
                self.deps.curfew.store.publish(night, [entry for _, entry in mine], self.now)
            for lab, entry in mine:
                with self._alone(lab.id):
                    if failed:
                        raise failed[0]
                    self._note_planned(lab, entry)

    def _note_planned(self, lab: Lab, entry: Entry) -> None:
        does = "goes to sleep" if entry.act is AtCurfew.HIBERNATE else "ends"
        unless = "" if entry.trigger is Trigger.GONE else ", unless it is kept"
        message = f"The lab {does} on {format_local(lab.spec.schedule, entry.at)}{unless}. {as_sentence(entry.reason)}"
        self.deps.store.add_event(lab.id, Event(self.now, KIND, message, {"entry": entry.id}))
        wakes = lab.hibernation.wake_at if lab.hibernation else None
        due_at = min(entry.at, wakes) if wakes and wakes > self.now else entry.at
        change_unless_changed(self.deps, lab, lambda stored: replace(stored, due_at=due_at))
        self.summary.counts["planned"] += 1
