"""The steps of stories: a learner requests a lab, the lab becomes ready, its owner ends it, its receipt is read.

All of them use signed HTTP, as a client would; AWS's own view is in `account.py`.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emulator.core.settings import ACCOUNT
from emulator.process import Credentials
from sandbox.deploy import PATIENCE
from sandbox.people import MAY, HttpAnswer, Person, make_person
from sandbox.stage import Stage

Json = Any

#: Wall seconds between two polls, from the first to the longest: each poll is a function's work, and others wait for it.
_SOON, _GROWS, _LATER = 0.3, 1.25, 2.0
_RESTING = {"ready", "hibernated", "deleted", "failed", "blocked", "lost"}
_numbers = itertools.count(1)

#: Held while requesting a change, and while running the schedule at a later time: such a run takes a lab that is stored but
#: not started yet for a long-lost one.
alone = threading.RLock()


def learner(stage: Stage) -> Learner:
    """A new person without labs."""
    return Learner(stage, make_person(stage.sandbox, f"learner-{next(_numbers)}"))


def signed_in(stage: Stage, role: str, name: str, path: str = "/aws-reserved/sso.amazonaws.com/") -> Learner:
    """A person in a session of a new permission set's role; with another path, of a role that only resembles one."""
    account = stage.sandbox.account
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = stage.sandbox.client("iam")
    arn = iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="labs", PolicyDocument=json.dumps(MAY))
    answer = stage.sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)
    key = answer["Credentials"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    return Learner(stage, Person(name, answer["AssumedRoleUser"]["Arn"], credentials))


def administrator(stage: Stage) -> Learner:
    """An administrator, who sees every lab."""
    return Learner(stage, stage.people.administrator)


def the_schedule_comes(stage: Stage, later: timedelta) -> None:
    """Run the scheduled run with a time this much later."""
    with alone:
        stage.recover_labs(datetime.now(UTC) + later)


def until(
    look: Callable[[], Json],
    good: Callable[[Json], bool],
    what: str,
    seconds: float = PATIENCE,
    longest: float = _LATER,
) -> Json:
    """Poll until the result is good, with growing pauses; fail with the last result. `longest`: the longest pause."""
    end, pause = time.monotonic() + seconds, _SOON
    while not good(seen := look()):
        assert time.monotonic() < end, f"{what}: not after {seconds:.0f} s, but {seen}"
        time.sleep(pause)
        pause = min(pause * _GROWS, longest)
    return seen


@dataclass(frozen=True)
class Learner:
    """A person at the API."""

    stage: Stage
    person: Person

    @property
    def arn(self) -> str:
        return self.person.arn

    def sends(
        self, method: str, path: str, body: bytes | str | Mapping[str, Any] | None = None, **headers: str
    ) -> HttpAnswer:
        """One signed request; `idempotency_key=` becomes the header Idempotency-Key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with nullcontext() if method == "GET" else alone:
            return self.stage.call(self.person, method, path, body, named)

    def asks_for(self, name: str, **fields: Any) -> Lab:
        """Request a lab in the service's own form; return it."""
        return self.taken(self.sends("POST", "/labs", {"name": name, **fields}))

    def posts(self, file: Path) -> HttpAnswer:
        """Post a file as `curl --data-binary @file` does."""
        return self.sends("POST", "/labs", file.read_bytes(), content_type="application/x-www-form-urlencoded")

    def taken(self, answer: HttpAnswer) -> Lab:
        """The lab in a 202 answer."""
        assert answer.status == 202, answer.body.decode()
        message = answer.json
        return Lab(self, message["id"], message["name"], message["region"], message["account"], message["warnings"])


@dataclass(frozen=True)
class Lab:
    """A lab as its learner sees it."""

    learner: Learner
    id: str
    name: str
    region: str
    account: str = ACCOUNT
    warnings: list[Json] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/labs/{self.id}"

    def shown(self) -> Json:
        """GET /labs/{id}."""
        return self._got("")

    def inventory(self) -> Json:
        """GET /labs/{id}/inventory."""
        return self._got("/inventory")

    def receipt(self) -> Json:
        """GET /labs/{id}/receipt."""
        return self._got("/receipt")

    def events(self) -> str:
        """The text of all events so far."""
        messages: list[str] = []
        cursor = ""
        while True:
            page = self._got(f"/events?limit=100{cursor}")
            messages += (event["message"] for event in page["events"])
            if page["cursor"] is None:
                return " ".join(messages)
            cursor = f"&cursor={quote(page['cursor'], safe='')}"

    def becomes(self, phase: str, seconds: float = PATIENCE) -> Json:
        """Wait for a phase; fail if the lab rests in another one."""

        def so(lab: Json) -> bool:
            assert lab["phase"] == phase or lab["phase"] not in _RESTING, (
                f"{lab['phase']}: {lab['reason']}; {_describe(lab)}"
            )
            return bool(lab["phase"] == phase)

        return until(self.shown, so, f"{self.name} becomes {phase}", seconds)

    def is_at(self, step: str, seconds: float = PATIENCE) -> None:
        """Wait until a step has started."""

        def begun(lab: Json) -> bool:
            return any(each["name"] == step for each in lab["steps"])

        until(self.shown, begun, f"{self.name} is at {step}", seconds, longest=_SOON)

    def is_let_go(self) -> None:
        """DELETE it."""
        answer = self.learner.sends("DELETE", self.path)
        assert answer.status == 202, answer.body.decode()

    def step(self, name: str) -> Json:
        """The newest run of a step."""
        return next(step for step in reversed(self.shown()["steps"]) if step["name"] == name)

    def _got(self, part: str) -> Json:
        answer = self.learner.sends("GET", self.path + part)
        assert answer.status == 200, answer.body.decode()
        return answer.json


def lines(receipt: Json, outcome: str, kind: str = "") -> list[Json]:
    """The lines of the newest check with this outcome (and kind)."""
    newest = receipt["looks"][-1]["lines"]
    return [line for line in newest if line["outcome"] == outcome and (not kind or line["kind"] == kind)]


def _describe(lab: Json) -> list[str]:
    return [f"{step['title']}: {step['status']} {step['detail']}" for step in lab["steps"]]
