"""Examines a group of due labs of one place: not yet facing anything, to be planned, or due to be acted on.

The evidence of the whole group is read in as few calls as possible, and only of labs that need a judgement now. A lab is
marked as planned before its entry is published, so that a run that dies in between plans it once only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.decision import exemption, is_protected, lifts_shield, shield_of
from chalicelib.domain.curfew.messages.called_off import Called
from chalicelib.domain.curfew.next_event import NextEvent, closing, next_event
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Trigger
from chalicelib.domain.curfew.plan_entry import KnownLab, plan_entry, planned_for
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.curfew.wakeup import stays_awake
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.call_off import call_off
from chalicelib.workflows.night.outcomes import (
    KIND,
    SOON,
    as_sentence,
    change_unless_changed,
    conclude,
    look_again,
    next_faced,
    note_missed,
    skip_entry,
)
from chalicelib.workflows.night.put_off_end import put_off_end
from chalicelib.workflows.night.region import Region, note_seen
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.night.wakeups import examine_hibernated

Line = tuple[Entry, EntryStatus]


@dataclass(frozen=True)
class ExaminedLab:
    """A due lab with its line of a plan, or with what it faces."""

    lab: Lab
    line: Line | None
    faces: NextEvent


@dataclass
class Examination:
    """One group's look at `now`; `new` are the entries to be published when every lab was looked at, `due` those to be acted on."""

    deps: Deps
    region: Region
    rules: CurfewRules
    now: datetime
    summary: RunSummary
    new: list[tuple[Lab, Entry]] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    due: list[dict[str, str]] = field(default_factory=list)

    def look(self, ids: Sequence[str]) -> dict[str, str]:
        """Look at these labs; return those that could not be looked at, with why."""
        studied = self._studied(ids)
        evidence = self._evidence([each.lab for each in studied if self._needs_judging(each)])
        for each in studied:
            with self._alone(each.lab.id):
                self._look_at(each, evidence.get(each.lab.id))
        self._publish()
        for each in studied:
            with self.summary.around(f"the price of {each.lab.id}"):
                note_seen(self.deps, self.region, each.lab, evidence.get(each.lab.id), self.now)
        return self.lost

    def _studied(self, ids: Sequence[str]) -> list[ExaminedLab]:
        studied = []
        for lab_id in ids:
            with self._alone(lab_id):
                lab = self.deps.store.load_lab(lab_id)
                if lab.phase in RESTING and lab.due_at is not None and lab.due_at <= self.now:
                    studied += self._study(lab)
        return studied

    @contextmanager
    def _alone(self, lab_id: str) -> Iterator[None]:
        """What fails inside is this lab's own trouble."""
        with self.summary.around(lab_id) as failed:
            yield
        if failed:
            self.lost[lab_id] = str(failed[0])

    def _study(self, lab: Lab) -> list[ExaminedLab]:
        """With its line, unless that is settled: then with what it faces instead, if it is high time to look at that."""
        planned, store, holidays = lab.planned, self.deps.curfew.store, self.deps.curfew.holidays
        line = store.line(planned.night, planned.entry_id) if planned else None
        if line is None or (free := self._freed(lab, line)) is None:
            return [ExaminedLab(lab, line, next_event(lab, self.rules, self.now, holidays))]
        self.summary.counts["looked_at"] += 1
        if free.phase is not Phase.READY or free.due_at != self.now + SOON:
            return []
        return [ExaminedLab(free, None, next_faced(self.deps, free, line[0], self.rules, self.now))]

    def _freed(self, lab: Lab, line: Line) -> Lab | None:
        """The lab off the plan, if its entry is settled, or if people have settled it."""
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

    def _needs_judging(self, studied: ExaminedLab) -> bool:
        if studied.lab.phase is not Phase.READY:
            return False
        if studied.line is None:
            return studied.faces.look_at(self.rules) <= self.now
        entry, status = studied.line
        return entry.trigger is Trigger.IDLE and entry.at <= self.now and status.outcome not in SETTLED

    def _evidence(self, labs: Sequence[Lab]) -> Mapping[str, Evidence]:
        if not labs:
            return {}
        window = timedelta(hours=self.rules.window_hours)
        return self.deps.curfew.signals(self.region.place).read(labs, self.now, window)

    def _look_at(self, studied: ExaminedLab, evidence: Evidence | None) -> None:
        self.summary.counts["looked_at"] += 1
        if studied.line is not None:
            self._look_at_planned(studied.lab, studied.line, evidence)
        elif studied.lab.phase is Phase.HIBERNATED:
            self._plan_hibernated(studied.lab)
        elif studied.lab.phase is Phase.LOST:
            self._planned(studied.lab, closing(studied.lab, self.rules, self.now), None, None)
        elif studied.faces.look_at(self.rules) > self.now:
            note_missed(self.deps, studied.lab, "", self.now)
            look_again(self.deps, studied.lab, studied.faces.look_at(self.rules))
        else:
            note_missed(self.deps, studied.lab, "", self.now)
            self._plan(studied.lab, studied.faces, evidence)

    def _look_at_planned(self, lab: Lab, line: Line, evidence: Evidence | None) -> None:
        entry, _ = line
        if self.now < entry.at and lab.phase is Phase.HIBERNATED:
            examine_hibernated(self.deps, self.region, lab, self.rules, self.now, self.summary, until=entry.at)
        elif self.now < entry.at:
            look_again(self.deps, lab, entry.at)
        else:
            if entry.trigger is Trigger.IDLE and evidence is not None:
                self._judged(lab, evidence)
            self.due.append({"lab_id": lab.id, "night": entry.night.isoformat(), "entry_id": entry.id})

    def _plan(self, lab: Lab, faces: NextEvent, evidence: Evidence | None) -> None:
        if evidence is None:
            look_again(self.deps, lab, self.now + SOON)
            return
        verdict = self._judged(lab, evidence)
        if verdict.gone:
            self._planned(lab, closing(lab, self.rules, self.now), evidence, verdict)
            return
        shield = shield_of(evidence.cluster_tags, evidence.deletion_protection)
        if faces.trigger is not Trigger.IDLE and shield and not lifts_shield(lab, faces.trigger, self.rules, faces.at):
            put_off_end(self.deps, lab, faces, shield, self.rules, self.now)
            self.summary.counts["put_off"] += 1
            return
        if faces.trigger is Trigger.IDLE and (why := self._why_not(lab, faces, evidence, verdict)):
            self._not_planned(lab, faces, why)
            faces = next_event(lab, self.rules, self.now, self.deps.curfew.holidays, after=faces.at)
            if faces.trigger is Trigger.IDLE or faces.look_at(self.rules) > self.now:
                look_again(self.deps, lab, max(faces.look_at(self.rules), self.now + SOON))
                return
        self._planned(lab, faces, evidence, verdict)

    def _plan_hibernated(self, lab: Lab) -> None:
        faces = examine_hibernated(self.deps, self.region, lab, self.rules, self.now, self.summary)
        if faces is not None:
            self._planned(lab, faces, None, None)

    def _not_planned(self, lab: Lab, faces: NextEvent, why: str) -> None:
        what = "the curfew" if faces.trigger is Trigger.IDLE else "its end"
        message = f"The lab is not on the plan for {what} of {format_local(lab.spec.schedule, faces.at)}: {why}"
        self.deps.store.add_event(lab.id, Event(self.now, KIND, message, {"night": faces.night.isoformat()}))
        self.summary.counts["in_use"] += 1

    def _why_not(self, lab: Lab, faces: NextEvent, evidence: Evidence, verdict: Verdict) -> str:
        if not verdict.idle:
            return verdict.sentence
        if shield := shield_of(evidence.cluster_tags, evidence.deletion_protection):
            return shield
        warned_at = self.now + timedelta(minutes=self.rules.notice_minutes)
        if warned_at > faces.at + timedelta(hours=self.rules.late_hours):
            return "nobody could be warned in time any more."
        if faces.act is AtCurfew.HIBERNATE:
            upgrade_at = self.region.upgrade_ahead(lab.kubernetes_version, str(lab.spec.support_policy), self.now)
            if upgrade_at is not None and stays_awake(upgrade_at, faces.at):
                message = format_local(lab.spec.schedule, upgrade_at)
                return f"It stays awake, for AWS may upgrade its control plane from {message} on."
        return ""

    def _judged(self, lab: Lab, evidence: Evidence) -> Verdict:
        verdict = judge(lab, evidence, self.rules, self.now)
        self.deps.curfew.store.put_verdict(verdict)
        return verdict

    def _planned(self, lab: Lab, faces: NextEvent, evidence: Evidence | None, verdict: Verdict | None) -> None:
        extended = self.region.is_billed_extended(lab, self.now)
        shield = shield_of(evidence.cluster_tags, evidence.deletion_protection) if evidence else ""
        known = KnownLab(self.deps.curfew.prices(self.region.place.region), extended, evidence, shield, verdict)
        entry = plan_entry(lab, faces, known, self.now)
        marked = change_unless_changed(self.deps, lab, lambda stored: planned_for(stored, entry))
        self.new.append((marked, entry))

    def _publish(self) -> None:
        """Each night's new entries at once; what could not be published is still due."""
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
