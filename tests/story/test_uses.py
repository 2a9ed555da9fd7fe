"""Real uses, played by `python -m sandbox use`: each lab's verdict states that it is at work, and by which signal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from sandbox.stage import Stage
from sandbox.usage import USAGES, use
from tests.story.nights import a_night
from tests.story.steps import Lab, until

pytestmark = pytest.mark.story

#: Use -> the verdict's reason (rows 2 to 6 of issue 12).
SAYS = {
    "one-core": "CPU up to 8 % in workers, 0.6 of 8 cores",
    "keda": "scaled to zero until work comes: default/keda-hpa-consumer",
    "argo": "running until it is finished: default/train",
    "gpu": "1 user pod, and GPU nodes (g5.xlarge), whose work no metric shows",
    "websocket": "2 connections that lasted 3 h through the load balancer use-played",
    "batch": "Job running: default/batch; running until it is finished: default/batch-0",
}


def test_a_lab_at_work_is_busy_whatever_the_work_and_is_not_when_it_ends(stage: Stage) -> None:
    with a_night() as night:
        # Given a lab with two large nodes and no workload
        seoul = {"timeZone": "Asia/Seoul", "curfew": "22:00"}
        large = [{"name": "workers", "instanceTypes": ["t3.xlarge"], "desired": 2}]
        lab = night.learner.asks_for("played", leaseHours=72, schedule=seoul, nodegroups=large)
        lab.becomes("ready")
        sandbox = night.stage.sandbox
        use(sandbox, "played", "idle")
        assert not verdict_on(lab).startswith("busy: ")

        # When a use runs in it, then the verdict names it, and stops doing so when it has ended
        assert {*SAYS, "nightly"} == {*USAGES, "one-core"}
        for name, says in SAYS.items():
            use(sandbox, "played", name)
            seen = until(partial(verdict_on, lab), is_busy, f"{name} is seen", 60)
            assert says in seen, (name, seen)
        use(sandbox, "played", "idle")
        assert not verdict_on(lab).startswith("busy: ")

        # And nightly work counts in the evening after the next, though nothing runs then
        use(sandbox, "played", "nightly")
        evening = (datetime.now(UTC) + timedelta(hours=34)).replace(minute=30, second=0, microsecond=0)
        night.strikes(evening + timedelta(hours=(10 - evening.hour) % 24))
        assert "pods were scheduled around 01:00 (Asia/Seoul) in earlier nights, as nightly work is" in lab.events()

        # And nothing of it outlives the lab
        lab.is_let_go()
        lab.becomes("deleted")
        assert lab.receipt()["clean"]


def is_busy(verdict: str) -> bool:
    """Kubernetes is queried briefly, and may reject credentials at first: then the query is retried."""
    return verdict.startswith("busy: ")


def verdict_on(lab: Lab) -> str:
    answer = lab.learner.sends("GET", f"{lab.path}/verdict")
    assert answer.status == 200, answer.body.decode()
    return str(answer.json["message"])
