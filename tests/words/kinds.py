"""One message of each kind for people, in every language and medium. `python -m tests.words.kinds` writes them.

Review the difference before you commit it: a golden file is a mail to a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from chalicelib.aws.messaging.link_keys import ItsdangerousLinkSigner
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.sentence import Listed, Moment, Sentence, Style
from chalicelib.domain.core.wording import counted
from chalicelib.domain.curfew.brake import BrakeDecision
from chalicelib.domain.curfew.decision import TAGGED
from chalicelib.domain.curfew.mail_link import mail_buttons
from chalicelib.domain.curfew.messages.approval import approval_message
from chalicelib.domain.curfew.messages.brake import brake_message, broken_plan_message, guard_message
from chalicelib.domain.curfew.messages.called_off import Called, called_off_message
from chalicelib.domain.curfew.messages.limit import Limit, limit_message
from chalicelib.domain.curfew.messages.month import LabMonth, MonthMail, month_message
from chalicelib.domain.curfew.messages.put_off import put_off_message
from chalicelib.domain.curfew.messages.report import Concerns, report_message
from chalicelib.domain.curfew.messages.wake_failed import wake_failed_message
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, Plan, PlanHeader, Stakes, Trigger, plan_hash
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.curfew.signed_links import SigningKey
from chalicelib.domain.errors.explain import explain
from chalicelib.domain.errors.tree import MonthOverBudget
from chalicelib.domain.identity.confirmation import Confirmation
from chalicelib.domain.identity.invitation import confirmation_message
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Approval, Hibernation, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.labs.spending import COST, ENDED, LABS, SLEPT, Scope
from chalicelib.domain.notices.digest import compose
from chalicelib.domain.support.fleet import NodeKind, Nodes
from chalicelib.domain.teardown.adoption import TaggedCluster, in_its_region
from chalicelib.domain.teardown.unproven_message import unproven_message
from chalicelib.words.chat import chat_document
from chalicelib.words.letters import written
from tests.domain.curfew.messages.test_warning import AT, SEOUL, mail
from tests.domain.curfew.messages.test_warning import ENTRY as A_LINE
from tests.domain.notices.test_digest import kept, notices_of
from tests.domain.notices.test_digest import mail as digest
from tests.domain.support.test_assessment import NOW
from tests.domain.teardown.test_unproven_message import left
from tests.fakes.builders import a_lab, a_spec
from tests.fakes.fleet_builders import OPS

FOLDER = Path(__file__).parent / "golden"
MEDIA = ("txt", "html", "chat")

IDLE = Sentence(
    "idle since {at}: {reasons}",
    at=Moment(AT - timedelta(hours=3, minutes=20), "Asia/Seoul", Style.CLOCK),
    reasons=Listed(
        [
            Sentence("no user pods scheduled in {time}", time=Sentence("{hours} h", hours=5)),
            Sentence("{what} (baseline {percent} %)", what=Sentence("CPU {percent} %", percent=3), percent=3),
            Sentence("no load-balancer traffic"),
        ],
        between=", ",
    ),
)
ENTRY = replace(A_LINE, reason=IDLE)
GONE = Sentence("EKS knows no such cluster any more. Everything that it left behind is deleted.")

WARNINGS: dict[str, Callable[[], Message]] = {
    "warning-idle": lambda: mail(ENTRY, spent_usd=12.5),
    "warning-sleep": lambda: mail(replace(ENTRY, act=AtCurfew.HIBERNATE), replace(SEOUL, wake=time(8, 30))),
    "warning-lease": lambda: mail(replace(ENTRY, trigger=Trigger.LEASE), volumes=VolumePolicy.SNAPSHOT),
    "warning-lease-sleep": lambda: mail(replace(ENTRY, trigger=Trigger.LEASE, act=AtCurfew.HIBERNATE, stakes=Stakes())),
    "warning-gone": lambda: mail(
        replace(ENTRY, trigger=Trigger.GONE, reason=GONE, stakes=Stakes(0, 0, 2, 0)),
        keep_url=None,
        keep_until=None,
        keep_cost_usd=None,
        volumes=VolumePolicy.KEEP,
    ),
    "warning-adopted": lambda: mail(replace(ENTRY, trigger=Trigger.ADOPTED, stakes=Stakes(2, None, None, 0))),
    "warning-used-up": lambda: mail(ENTRY, keep_url=None, keep_until=None),
    "warning-no-room": lambda: mail(
        replace(ENTRY, trigger=Trigger.LEASE),
        keep_url=None,
        keep_until=None,
        no_room=MonthOverBudget(Scope.PERSON, 5_280_000, 20_000_000, 18_000_000, "2026-11").args[0],
    ),
    "warning-no-link": lambda: mail(replace(ENTRY, hourly_usd=None), keep_url=None, keep_cost_usd=None),
    "warning-in-place": lambda: mail(ENTRY, in_place_of="learner"),
}
RULES = CurfewRules()
NIGHT = date(2026, 11, 23)
HEADER = PlanHeader(NIGHT, 1, "a" * 64, AT, 30)
PLAN = Plan(HEADER, ())
HELD = BrakeDecision("", "", "", 0, 15, 4, free_at=AT + timedelta(days=1))
BRAKED = Sentence(
    "The brake held the night: {labs} were to go, and {allowed} may.", labs=counted(30, "idle lab"), allowed=15
)
KEPT, OFF = Sentence("It is kept until {at}.", at=Moment(AT, "Asia/Seoul")), Sentence("Curfew is switched off.")
SLEEPY = replace(ENTRY, act=AtCurfew.HIBERNATE)
LATER = AT + timedelta(hours=6)


def lab(**changes: Any) -> Lab:
    return replace(
        a_lab(phase="ready", owner=ENTRY.owner, id=ENTRY.lab_id, spec=a_spec(name="myeks", schedule=SEOUL)), **changes
    )


def asleep(wake_at: datetime | None) -> Lab:
    hibernation = Hibernation((), AT, "", wake_at)
    return lab(phase=Phase.HIBERNATED, hibernation=hibernation, reason="")


def waiting(links: tuple[str, str] | None) -> Message:
    asked = lab(
        phase=Phase.AWAITING_APPROVAL, approval=Approval("p5.48xlarge", AT + timedelta(days=3), by_approver=False)
    )
    return approval_message(asked, "admins", 12.5, links, AT + timedelta(days=3))


CURFEW: dict[str, Callable[[], Message]] = {
    "called-off": lambda: called_off_message(lab(), ENTRY, Called(KEPT), LATER, "learner"),
    "called-off-early": lambda: called_off_message(
        lab(), SLEEPY, Called(OFF), AT - timedelta(hours=1), "team", "learner"
    ),
    "called-off-braked": lambda: called_off_message(lab(), ENTRY, Called(BRAKED, LATER, released=True), AT, "learner"),
    "called-off-waiting": lambda: called_off_message(lab(), SLEEPY, Called(BRAKED, LATER), AT, "learner"),
    "put-off": lambda: put_off_message(lab(), AT, TAGGED, AT + timedelta(days=5), "learner"),
    "wake-failed": lambda: wake_failed_message(asleep(None), "learner"),
    "wake-failed-again": lambda: wake_failed_message(asleep(AT + timedelta(hours=10)), "learner"),
    "wake-failed-why": lambda: wake_failed_message(
        replace(asleep(None), reason=explain("InsufficientInstanceCapacity", "No t3.medium in ap-northeast-2a").reason),
        "learner",
    ),
    "wake-failed-gone": lambda: wake_failed_message(lab(phase=Phase.LOST), "learner"),
    "brake": lambda: brake_message(HEADER, 30, 60, RULES, "admins"),
    "guard": lambda: guard_message(PLAN, HELD, 30, "admins"),
    "plan-broken": lambda: broken_plan_message(NIGHT, "a" * 64, "b" * 64, "admins"),
    "approval": lambda: waiting(("https://x.example.com/api/decide/yes", "https://x.example.com/api/decide/no")),
    "approval-own": lambda: waiting(None),
}


def done(number: int, outcome: EntryOutcome, reason: str = "", **status: Any) -> tuple[Entry, EntryStatus]:
    entry = replace(
        SLEEPY if outcome is EntryOutcome.HIBERNATED else ENTRY, lab_id=f"lab-{number}", name=f"lab{number}"
    )
    return entry, replace(EntryStatus(NIGHT, entry.id, entry.lab_id, outcome, reason, warned_at=AT), **status)


def night(*lines: tuple[Entry, EntryStatus], rules: CurfewRules = RULES, **others: Any) -> Message:
    header = PlanHeader(NIGHT, 1, plan_hash(entry for entry, _ in lines), AT, len(lines))
    given = {"blocked": (), "orphans": (), "troubles": (), "recipient": "admins", **others}
    recipient = given.pop("recipient")
    return report_message(NIGHT, Plan(header, lines) if lines else None, rules, Concerns(**given), recipient)


STRAY = TaggedCluster("arn:aws:eks:ap-northeast-2:111122223333:cluster/old", "old", "ap-northeast-2", {})
REPORTS: dict[str, Callable[[], Message]] = {
    "report-calm": lambda: night(),
    "report-busy": lambda: night(
        done(1, EntryOutcome.ENDED, saved_usd=5.28),
        done(2, EntryOutcome.HIBERNATED, saved_usd=2.12),
        done(3, EntryOutcome.SKIPPED, KEPT),
        done(4, EntryOutcome.SKIPPED, BRAKED, braked_at=AT),
        done(5, EntryOutcome.ACTING),
        done(6, EntryOutcome.STANDING, warned_at=None, trouble="AccessDenied"),
        blocked=(lab(phase=Phase.BLOCKED, reason=explain("AccessDenied", "no").reason, phase_since=AT),),
        orphans=(Sentence("{what} names no installation, so it is left alone.", what=in_its_region(STRAY)),),
        troubles=(
            Sentence("{what}: {reason}", what=Sentence("the metrics"), reason="cloudwatch:PutMetricData: AccessDenied"),
        ),
    ),
    "report-off": lambda: night(rules=replace(RULES, mode=Mode.OFF)),
    "report-dry": lambda: night(rules=replace(RULES, mode=Mode.DRY_RUN)),
    "report-broken": lambda: replace_plan(),
}


def replace_plan() -> Message:
    entry, status = done(1, EntryOutcome.ENDED, braked_at=AT)
    return report_message(NIGHT, Plan(HEADER, ((entry, status),)), RULES, Concerns(), "admins")


PENDING = Confirmation("learner@example.com", "p-1", ENTRY.owner, "n", AT, AT + timedelta(days=1))
INVITATIONS: dict[str, Callable[[], Message]] = {
    "confirmation": lambda: confirmation_message(PENDING, "https://x.example.com/api/confirm/token"),
    "confirmation-no-link": lambda: confirmation_message(PENDING, None),
}


def with_buttons() -> Message:
    key = SigningKey("key-1", b"0" * 32, ItsdangerousLinkSigner())
    [message] = compose(
        OPS,
        notices_of(kept("orders", "1.31")),
        NOW,
        lambda watched, ahead: mail_buttons("https://x.example.com/api", OPS, watched.cluster.key, ahead.id, NOW, key),
    )
    return message


def undated() -> Message:
    return digest(kept("older", "1.21"))


def behind_nodes() -> Message:
    after = kept("orders", "1.32", upgraded_by_aws_at=NOW)
    return digest(
        replace(after, cluster=replace(after.cluster, nodes=(Nodes("workers", NodeKind.MANAGED, "1.31", 3),)))
    )


def solved() -> Message:
    history = [notice for notice, _ in notices_of(kept("orders", "1.31"))]
    return digest(kept("orders", "1.36"), history=history)


DIGESTS: dict[str, Callable[[], Message]] = {
    "digest-forced": lambda: digest(kept("orders", "1.31")),
    "digest-buttons": with_buttons,
    "digest-billing": lambda: digest(kept("orders", "1.34")),
    "digest-standard": lambda: digest(kept("orders", "1.34", "STANDARD")),
    "digest-lab": lambda: digest(kept("orders", "1.31", lab_id="lab-1")),
    "digest-late": lambda: digest(kept("orders", "1.34", armed_at=NOW - timedelta(days=90))),
    "digest-many": lambda: digest(kept("later", "1.34"), kept("soon", "1.31"), kept("paying", "1.33")),
    "digest-undated": undated,
    "digest-behind": behind_nodes,
    "digest-solved": solved,
}
WORTH = LabMonth(
    lab(), 4_200_000, Verdict("lab-1", AT, AT, idle=True, sentence=IDLE, since=AT - timedelta(hours=3, minutes=20))
)
MONTH = MonthMail("2026-11", "learner", {COST: 4_200_000, LABS: 1, SLEPT: 1_000_000, ENDED: 500_000}, (WORTH,))
REACHED = Limit("2026-11", Scope.PERSON, "learner", 5_000_000, 4_950_000)
MONTHS: dict[str, Callable[[], Message]] = {
    "month-limit": lambda: limit_message(REACHED, "learner", [lab()], "111122223333", AT),
    "month-limit-team": lambda: limit_message(
        replace(REACHED, scope=Scope.TEAM, whose="eks"), "learner", [lab()], "111122223333", AT
    ),
    "month-limit-role": lambda: limit_message(
        replace(REACHED, scope=Scope.ROLE, whose="Learners"), "learner", [lab()], "111122223333", AT
    ),
    "month-limit-sleep": lambda: limit_message(replace(REACHED, sleeps=True), "learner", [lab()], "111122223333", AT),
    "month-costs": lambda: month_message(MONTH, "111122223333"),
    "month-costs-all": lambda: month_message(
        replace(MONTH, amounts={COST: 4_200_000, LABS: 2}, people=(("learner", 4_200_000),)), "111122223333"
    ),
}
LEFT = [left("vol-1", 8.0), left("vol-2", None)]
LEFTOVERS: dict[str, Callable[[], Message]] = {
    "leftovers": lambda: unproven_message(lab(), LEFT, "learner"),
}
KINDS: dict[str, Callable[[], Message]] = {
    **MONTHS,
    **LEFTOVERS,
    **WARNINGS,
    **CURFEW,
    **REPORTS,
    **DIGESTS,
    **INVITATIONS,
}


def shown(message: Message, language: Language, medium: str) -> str:
    """The mail as its reader gets it."""
    whole = written([message], language)
    match medium:
        case "txt":
            return f"Subject: {whole.subject}\n\n{whole.text}"
        case "html":
            return whole.html
        case _:
            content: Any = chat_document(message, language)["content"]
            return "\n\n".join([content["title"], content["description"], *content["nextSteps"]]) + "\n"


def path_of(kind: str, language: Language, medium: str) -> Path:
    return FOLDER / f"{kind}.{language}.{medium}"


if __name__ == "__main__":
    from deployment.words import compile_here

    compile_here()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for kind, make in KINDS.items():
        for language in Language:
            for medium in MEDIA:
                path_of(kind, language, medium).write_text(shown(make(), language, medium))
    print(json.dumps(sorted(KINDS)))
