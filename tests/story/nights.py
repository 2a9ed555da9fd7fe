"""The words of curfew's stories: an evening twenty hours away, the hour strikes, mail arrives, the night's plan is read.

Hours pass here for every lab there is, so each story has a sandbox of its own beside the one that all others share. The
schedule's events carry later times; the API goes by the clock on the wall, for which the evening has not begun. Twenty
hours, since what a lab's metrics said in the hours before is what its use is judged by.
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
    """An installed service before its evening, everybody's mail, and when curfew is, in UTC."""

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
        """Somebody new."""
        return learner(self.stage)

    def lab(self, owner: Learner, name: str, use: str = "idle", **fields: Any) -> Lab:
        """Ask for a lab without nodes that faces this evening; what goes on in it has gone on for hours."""
        schedule = {"timeZone": "UTC", "curfew": f"{self.curfew:%H:%M}"}
        lab = owner.asks_for(name, **{"nodegroups": [], "leaseHours": 48, "schedule": schedule} | fields)
        set_activity(self.stage.sandbox, name, use, since=self.curfew - timedelta(hours=26))
        return lab

    def rules(self, **rules: Any) -> None:
        """PUT /curfew, as an administrator."""
        answer = self.administrator.sends("PUT", "/curfew", rules)
        assert answer.status == 200, answer.body.decode()

    def strikes(self, at: datetime) -> Json:
        """Let the hour come, with nothing lost; the run's summary. Every run is in an hour of its own."""
        summary = run_curfew(self.stage, at)
        assert not summary["troubles"], summary
        assert not summary["lost"], summary
        return summary

    @property
    def evening(self) -> date:
        """The day whose evening the curfew ends: before noon, the day before."""
        return (self.curfew - timedelta(hours=12)).date()

    def plan(self, night: date) -> dict[str, Json]:
        """GET /plan/{date}, its lines by lab name."""
        answer = self.administrator.sends("GET", f"/plan/{night:%Y-%m-%d}")
        assert answer.status == 200, answer.body.decode()
        return {line["name"]: line for line in answer.json["entries"]}

    def report(self, night: date, mails: Sequence[Mail]) -> Mail:
        """The one report of a night among these."""
        message = f"night of {night:%a} {night.day} {night:%b %Y}"
        (report,) = [mail for mail in mails if mail.attributes["kind"] == "curfew-report" and message in mail.subject]
        return report


@contextmanager
def a_night(wanted: Mapping[str, Sequence[str]] | None = None) -> Iterator[Night]:
    """A service of its own in which a lab need not be a day old; `wanted` is what the one mailbox takes."""
    with an_empty_service(wanted) as night:
        night.rules(youngHours=0)
        yield night


@contextmanager
def an_empty_service(wanted: Mapping[str, Sequence[str]] | None = None) -> Iterator[Night]:
    """A service of its own as it was installed."""
    with installed() as stage:
        stage.lag(lag_seed())
        box = subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], "everybody", wanted)
        yield Night(stage, box, (datetime.now(UTC) + timedelta(hours=20)).replace(second=0, microsecond=0))


def all_ready(*labs: Lab) -> datetime:
    """Wait until they are; when the curfew run finds them all due, in whole seconds as its event tells it."""
    for lab in labs:
        lab.becomes("ready")
    return datetime.now(UTC) + timedelta(seconds=2)


def morning_after(instant: datetime) -> datetime:
    """The next 08:00 of the installation's zone that is half a day off, when the report of that night is due."""
    local = (instant + timedelta(hours=12)).astimezone(ZoneInfo(TIME_ZONE))
    eight = datetime.combine(local.date(), time(8), local.tzinfo)
    return eight if eight >= local else eight + timedelta(days=1)


def of_kind(kind: str, mails: Sequence[Mail]) -> dict[str, Mail]:
    """The mails of one kind, by whom they are to: at most one each."""
    found = [mail for mail in mails if mail.attributes["kind"] == kind]
    by_recipient = {mail.attributes["recipient"]: mail for mail in found}
    assert len(by_recipient) == len(found), [mail.subject for mail in found]
    return by_recipient


def cluster_is_gone(lab: Lab) -> None:
    """Somebody deletes its cluster by hand, and EKS forgets it."""
    eks = lab.learner.stage.sandbox.client("eks")
    eks.delete_cluster(name=lab.name)
    until(lambda: eks.list_clusters()["clusters"], lambda names: lab.name not in names, f"{lab.name} is gone")
