"""The words stories are told in: a learner asks for a lab, the lab becomes ready, it is let go, its receipt is read.

Everything here goes over signed HTTP, as a client would send it; what AWS itself shows is in `account.py`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.people import HttpAnswer, Person, make_person
from sandbox.stage import Stage

Json = Any

#: Wall seconds that anything in a story may take while five others are told.
PATIENCE = 150.0
_EVERY = 0.7
_RESTING = {"ready", "deleted", "failed", "blocked"}
_numbers = itertools.count(1)


def learner(stage: Stage) -> Learner:
    """Somebody new, who has no labs yet."""
    return Learner(stage, make_person(stage.sandbox, f"learner-{next(_numbers)}"))


def administrator(stage: Stage) -> Learner:
    """The one who sees every lab."""
    return Learner(stage, stage.people.administrator)


def until(look: Callable[[], Json], good: Callable[[Json], bool], what: str, seconds: float = PATIENCE) -> Json:
    """Look again and again until what is seen is good; fails with what was seen last."""
    end = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < end, f"{what}: not after {seconds:.0f} s, but {seen}"
        time.sleep(_EVERY)
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
        return self.stage.call(self.person, method, path, body, named)

    def asks_for(self, name: str, **fields: Any) -> Lab:
        """Ask for a lab in our own form, and get it."""
        return self.taken(self.sends("POST", "/labs", {"name": name, **fields}))

    def posts(self, file: Path) -> HttpAnswer:
        """Post a file as `curl --data-binary @file` does."""
        return self.sends("POST", "/labs", file.read_bytes(), content_type="application/x-www-form-urlencoded")

    def taken(self, answer: HttpAnswer) -> Lab:
        """The lab of an answer that must be a 202."""
        assert answer.status == 202, answer.body.decode()
        return Lab(self, answer.json["id"], answer.json["name"], answer.json["region"], answer.json["warnings"])


@dataclass(frozen=True)
class Lab:
    """A lab as its learner sees it."""

    learner: Learner
    id: str
    name: str
    region: str
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

    def events(self) -> Json:
        """All that was told of it so far, in one text."""
        return " ".join(event["message"] for event in self._got("/events?limit=100")["events"])

    def becomes(self, phase: str, seconds: float = PATIENCE) -> Json:
        """Wait for a phase; one that rests in another has failed its story."""

        def so(lab: Json) -> bool:
            assert lab["phase"] == phase or lab["phase"] not in _RESTING, (
                f"{lab['phase']}: {lab['reason']}; {_told(lab)}"
            )
            return bool(lab["phase"] == phase)

        return until(self.shown, so, f"{self.name} becomes {phase}", seconds)

    def is_at(self, step: str, seconds: float = PATIENCE) -> None:
        """Wait until a step has begun."""
        until(
            self.shown, lambda lab: any(s["name"] == step for s in lab["steps"]), f"{self.name} is at {step}", seconds
        )

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
    """The lines of the newest look with this outcome (and kind)."""
    newest = receipt["looks"][-1]["lines"]
    return [line for line in newest if line["outcome"] == outcome and (not kind or line["kind"] == kind)]


def _told(lab: Json) -> list[str]:
    return [f"{step['title']}: {step['status']} {step['detail']}" for step in lab["steps"]]
