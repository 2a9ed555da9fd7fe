"""The steps of curfew's stories: an evening twenty hours ahead, hourly runs, arriving mail, the night's plan.

Time passes for every lab of a sandbox, so each story has its own. The schedule's events carry later times; the API uses the
real clock, before the evening. Twenty hours, since a lab's use is judged by its metrics of the hours before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.activity import set_activity
from sandbox.mailbox import Mail, Mailbox, subscribe
from sandbox.schedules import run_curfew
from sandbox.stage import TIME_ZONE, Stage, installed
from tests.story.eventual import lag_seed
from tests.story.steps import Lab, Learner, administrator, learner, until

Json = Any


@dataclass(frozen=True)
class Night:
    """An installed service before its evening, all recipients' mail, and the time of curfew in UTC."""

    stage: Stage
    box: Mailbox
    curfew: datetime

    @property
    def planning(self) -> datetime:
        """An hour in which curfew's plan is published."""
        return self.curfew - timedelta(hours=3)

    @property
    def administrator(self) -> Learner:
        return administrator(self.stage)

    @property
    def learner(self) -> Learner:
        """A new person."""
        return learner(self.stage)

    def lab(self, owner: Learner, name: str, use: str = "idle", **fields: Any) -> Lab:
        """Request a lab without nodes that is subject to this evening; its activity has gone on for hours."""
        schedule = {"timeZone": "UTC", "curfew": f"{self.curfew:%H:%M}"}
        lab = owner.asks_for(name, **{"nodegroups": [], "leaseHours": 48, "schedule": schedule} | fields)
        set_activity(self.stage.sandbox, name, use, since=self.curfew - timedelta(hours=26))
        return lab

    def rules(self, **rules: Any) -> None:
        """PUT /curfew, as an administrator."""
        answer = self.administrator.sends("PUT", "/curfew", rules)
        assert answer.status == 200, answer.body.decode()

    def strikes(self, at: datetime) -> Json:
        """Run the curfew run at that hour; return its summary, which has no failures. Each run has an hour of its own."""
        summary = run_curfew(self.stage, at)
        assert not summary["troubles"], summary
        assert not summary["lost"], summary
        return summary

    @property
    def evening(self) -> date:
        """The day whose evening the curfew ends; before noon, the day before."""
        return (self.curfew - timedelta(hours=12)).date()

    def plan(self, night: date) -> dict[str, Json]:
        """GET /plan/{date}, its lines by lab name."""
        answer = self.administrator.sends("GET", f"/plan/{night:%Y-%m-%d}")
        assert answer.status == 200, answer.body.decode()
        return {line["name"]: line for line in answer.json["entries"]}

    def report(self, night: date, mails: Sequence[Mail]) -> Mail:
        """The single night report among these mails."""
        message = f"night of {night:%a} {night.day} {night:%b %Y}"
        (report,) = [mail for mail in mails if mail.attributes["kind"] == "curfew-report" and message in mail.subject]
        return report


@contextmanager
def a_night(wanted: Mapping[str, Sequence[str]] | None = None) -> Iterator[Night]:
    """A sandbox in which a lab need not be a day old; `wanted`: the kinds of mail that the one mailbox accepts."""
    with an_empty_service(wanted) as night:
        night.rules(youngHours=0)
        yield night


@contextmanager
def an_empty_service(wanted: Mapping[str, Sequence[str]] | None = None) -> Iterator[Night]:
    """A sandbox with the default settings."""
    with installed() as stage:
        stage.lag(lag_seed())
        box = subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], "everybody", wanted)
        yield Night(stage, box, (datetime.now(UTC) + timedelta(hours=20)).replace(second=0, microsecond=0))


def all_ready(*labs: Lab) -> datetime:
    """Wait until they are ready; return when all are due for the curfew run, in whole seconds as in its event."""
    for lab in labs:
        lab.becomes("ready")
    return datetime.now(UTC) + timedelta(seconds=2)


def morning_after(instant: datetime) -> datetime:
    """The next 08:00 of the installation's zone at least half a day ahead, when that night's report is due."""
    local = (instant + timedelta(hours=12)).astimezone(ZoneInfo(TIME_ZONE))
    eight = datetime.combine(local.date(), time(8), local.tzinfo)
    return eight if eight >= local else eight + timedelta(days=1)


def of_kind(kind: str, mails: Sequence[Mail]) -> dict[str, Mail]:
    """The mails of one kind by recipient: at most one each."""
    found = [mail for mail in mails if mail.attributes["kind"] == kind]
    by_recipient = {mail.attributes["recipient"]: mail for mail in found}
    assert len(by_recipient) == len(found), [mail.subject for mail in found]
    return by_recipient


def cluster_is_gone(lab: Lab) -> None:
    """Delete its cluster by hand, and wait until EKS has deleted it."""
    eks = lab.learner.stage.sandbox.client("eks")
    eks.delete_cluster(name=lab.name)
    until(lambda: eks.list_clusters()["clusters"], lambda names: lab.name not in names, f"{lab.name} is gone")
