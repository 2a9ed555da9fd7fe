"""The steps of the support watch's stories: days pass, mail arrives, clusters are read.

The watch moves a whole sandbox's calendar, so it has a sandbox of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.mailbox import Mail, Mailbox, subscribe
from sandbox.people import HttpAnswer, Person, make_person
from sandbox.scenarios.fleet import put_clusters
from sandbox.schedules import run_watch
from sandbox.stage import Stage, installed
from tests.story.eventual import lag_seed
from tests.story.steps import until

Json = Any
HOME, HERE = "111122223333", "ap-northeast-2"


@dataclass
class Watching:
    """An installed service, its fleet, and all recipients' mail."""

    stage: Stage
    box: Mailbox
    people: dict[str, Person] = field(default_factory=dict)

    def finds(self, *clusters: Mapping[str, Any]) -> None:
        """Add clusters that already exist."""
        put_clusters(self.stage.sandbox, clusters)

    def day(self, day: str) -> list[Mail]:
        """Move to a day and run the watch at 06:00 UTC; return all mail that arrives."""
        self.calendar(f"{day}T06:00:00+00:00")
        self.summary = run_watch(self.stage, datetime.fromisoformat(f"{day}T06:00:00+00:00"))
        return self.box.take()

    def calendar(self, instant: str) -> None:
        """Move AWS's calendar only."""
        self.stage.sandbox.admin("POST", "clock", {"now": instant})

    def stands_in_the_way(self, name: str, what: str) -> None:
        """Add an EKS upgrade insight that blocks a cluster's upgrade."""
        self.stage.sandbox.admin("POST", "insights", {"cluster": name, "insights": [{"name": what}]})

    def becomes(self, name: str, version: str) -> None:
        """Wait until EKS reports that the cluster runs a version."""
        eks = self.stage.sandbox.client("eks")
        until(lambda: eks.describe_cluster(name=name)["cluster"]["version"], lambda v: v == version, name, 60)

    def nodes_follow(self, name: str, version: str) -> None:
        """Upgrade the node group as the owner, and wait for it."""
        eks, group = self.stage.sandbox.client("eks"), {"clusterName": name, "nodegroupName": "workers"}
        eks.update_nodegroup_version(**group, version=version)
        until(lambda: eks.describe_nodegroup(**group)["nodegroup"]["version"], lambda v: v == version, name, 60)

    def sends(self, who: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> HttpAnswer:
        """One signed request as a person; `administrator` is the service's."""
        return self.stage.call(self._person(who), method, path, body)

    def clusters(self, query: str = "limit=100") -> list[Json]:
        """GET /clusters, all pages."""
        answer = self.sends("administrator", "GET", f"/clusters?{query}")
        assert answer.status == 200, answer.body.decode()
        found: list[Json] = answer.json["clusters"]
        cursor = answer.json["cursor"]
        return found + (self.clusters(f"{query.partition('&cursor')[0]}&cursor={cursor}") if cursor else [])

    def cluster(self, name: str, account: str = HOME, region: str = HERE) -> Json:
        """GET one cluster."""
        answer = self.sends("administrator", "GET", f"/clusters/{account}/{region}/{name}")
        assert answer.status == 200, answer.body.decode()
        return answer.json

    def _person(self, name: str) -> Person:
        if name == "administrator":
            return self.stage.people.administrator
        if name not in self.people:
            self.people[name] = make_person(self.stage.sandbox, name)
        return self.people[name]


@contextmanager
def watching() -> Iterator[Watching]:
    """A sandbox of its own, on 23 November 2026."""
    with installed() as stage:
        stage.lag(lag_seed())
        stage.sandbox.admin("POST", "clock", {"now": "2026-11-23T00:00:00Z"})
        yield Watching(stage, subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], "everybody"))


def a_cluster(name: str, version: str, owner: str, **more: Any) -> dict[str, Any]:
    """A person's cluster, with one node group of its own version."""
    return {"name": name, "version": version, "tags": {"owner": owner}, "nodegroups": [{"name": "workers"}], **more}


def to(recipient: str, mails: list[Mail]) -> list[Mail]:
    """The mails to one recipient."""
    return [mail for mail in mails if mail.attributes["recipient"] == recipient]
