"""Money in the first act of `make demo`: a request refused for its price, one that an approver accepts, and an ordinary one."""

from collections.abc import Mapping
from typing import Any

from sandbox.demo.narration import Narrator
from sandbox.stage import Stage

#: Ten of the dearest machines for three days.
DEAR: dict[str, Any] = {
    "name": "gpu",
    "leaseHours": 72,
    "nodegroups": [
        {"name": "g", "instanceTypes": ["p5.48xlarge"], "desired": 10, "min": 10, "max": 10, "volumeGib": 16384}
    ],
}
#: USD above which a lab needs approval in this act.
ASK = 0.5


def refuse(stage: Stage, narrator: Narrator) -> None:
    """Request labs above the ceilings."""
    narrator.act("Ten p5.48xlarge for 72 hours")
    answer = stage.call(stage.people.learner, "POST", "/labs", DEAR)
    narrator.say(f"{answer.status} {answer.json['detail']}")
    told = f"it is refused before anything is made: ${answer.json.get('usd', 0):,.2f} an hour, or more"
    narrator.check(answer.status == 403 and answer.json["usd"] > answer.json["ceilingUsd"], told)


def price(stage: Stage, narrator: Narrator) -> None:
    """The cost of an ordinary lab, by part; nothing is created."""
    narrator.act("An ordinary lab, before it is made")
    narrator.command("POST /labs?dryRun=true  (2 t3.medium, four hours)")
    answer = stage.call(stage.people.learner, "POST", "/labs?dryRun=true", {"name": "plain", "leaseHours": 4})
    cost = answer.json["cost"]
    for part in cost["parts"]:
        narrator.say(f"  ${part['usdAnHour']:.4f} an hour, ${part['usd']:.2f} for the lease: {part['name']}")
    sums = f"${cost['usd']:.2f} for the lease, ${cost['usdAsleep']:.2f} if it slept ({cost['source']})"
    narrator.check(abs(sum(part["usd"] for part in cost["parts"]) - cost["usd"]) < 0.03, sums)


def approve(stage: Stage, narrator: Narrator, lab: Mapping[str, Any]) -> None:
    """Let the administrator approve a lab that waits for approval."""
    narrator.check(
        lab["phase"] == "awaiting-approval", f"it costs ${lab['usd']['toLeaseEnd']:.2f}, and waits for an approver"
    )
    narrator.command(f'POST /labs/{lab["id"]}/approve  {{"why": "the course"}}')
    path = f"/labs/{lab['id']}/approve"
    own = stage.call(stage.people.learner, "POST", path, {"why": "mine"})
    answer = stage.call(stage.people.administrator, "POST", path, {"why": "the course"})
    narrator.check(
        own.status == 403 and answer.json["phase"] == "requested", "its owner may not, the administrator does"
    )
