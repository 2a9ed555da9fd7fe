"""Two accounts, two regions: labs of one name in each, created, changed, watched and ended independently."""

from datetime import timedelta
from typing import Any

import pytest

from emulator.core.settings import ACCOUNT, REGION
from sandbox.activity import set_activity
from sandbox.scenarios.fleet import join
from sandbox.schedules import run_watch
from sandbox.stage import Stage
from tests.story.account import clients_in, cluster, nothing_is_left_of
from tests.story.nights import Night, a_night, all_ready
from tests.story.steps import Lab, Learner

pytestmark = pytest.mark.story

MEMBER, THERE = "444455556666", "us-east-1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmyIJjyZqq8vmYwm9Pu3NTXEGfLHZ6wfsIxTbZVrsJP learner"


def test_labs_live_and_end_in_two_accounts_and_two_regions(stage: Stage) -> None:
    with a_night() as night:
        # Given an unregistered account, then no lab is created in it, and the error names the field
        owner = night.learner
        assert refused(owner, account=MEMBER, region=THERE) == {"account": "account-not-registered"}

        # When it has the member role and is registered for labs, then labs are allowed there, in its regions
        role = join(night.stage.sandbox, MEMBER, labs=True)
        registered(night, regions=[REGION, THERE], roleArn=role, labs=True)
        assert refused(owner, account=MEMBER, region="eu-west-1") == {"region": "region-not-offered"}

        # And labs of one name become ready in both accounts and both regions, each in its own place only
        schedule = {"timeZone": "UTC", "curfew": f"{night.curfew:%H:%M}"}
        bare: dict[str, Any] = {"nodegroups": [], "leaseHours": 48, "schedule": schedule}
        home, abroad = owner.asks_for("twin", **bare), owner.asks_for("twin", account=MEMBER, **bare)
        furnished = owner.asks_for("twin", account=MEMBER, region=THERE, **bare | furniture())
        all_ready(home, abroad, furnished)
        labs = {(ACCOUNT, REGION): home, (MEMBER, REGION): abroad, (MEMBER, THERE): furnished}
        for place, lab in labs.items():
            assert cluster(clients_in(night.stage, place[1], place[0]), "twin")["tags"]["ekslab:lab-id"] == lab.id
            assert f":{lab.account}:" in lab.inventory()["controlPlane"]["arn"]
        assert clients_in(night.stage, THERE)("eks").list_clusters()["clusters"] == []

        # And they can be changed, and sleep and wake
        changed(furnished)

        # When the watch runs, then it finds the clusters of both accounts
        run_watch(night.stage, night.curfew)
        watched = night.administrator.sends("GET", "/clusters").json["clusters"]
        assert {(one["account"], one["region"]) for one in watched if one["name"] == "twin"} >= {
            (MEMBER, REGION),
            (MEMBER, THERE),
        }

        # When the evening comes, then the curfew ends the idle lab; owners end the others
        set_activity(night.stage.sandbox, "twin", "busy", night.curfew - timedelta(hours=9), (MEMBER, THERE))
        ended_by_the_night(night, home, abroad)
        home.is_let_go()
        furnished.is_let_go()
        gone(home, furnished)

        # And nothing is left in either account, and it can be unregistered
        answer = night.administrator.sends("DELETE", f"/accounts/{MEMBER}")
        assert answer.status == 204, answer.body.decode()


def furniture() -> dict[str, Any]:
    """A lab that uses most services of an account: nodes, a work host, a key pair."""
    group = {"name": "workers", "desired": 1, "min": 1, "max": 2}
    return {"nodegroups": [group], "workHost": True, "ssh": {"publicKey": KEY}, "logTypes": ["audit"]}


def registered(night: Night, **body: Any) -> None:
    """PUT /accounts/{id}, as an administrator; learners may not."""
    assert night.learner.sends("PUT", f"/accounts/{MEMBER}", body).status == 403
    answer = night.administrator.sends("PUT", f"/accounts/{MEMBER}", {"name": "training", **body})
    assert answer.status == 200, answer.body.decode()


def refused(owner: Learner, **fields: Any) -> dict[str, str]:
    """The error codes by path of a request that must be rejected."""
    answer = owner.sends("POST", "/labs", {"name": "nowhere", **fields})
    assert answer.status == 400, answer.body.decode()
    return {finding["path"]: finding["code"] for finding in answer.json["findings"] if finding["severity"] == "error"}


def changed(lab: Lab) -> None:
    """One more node, a public endpoint, which administrators offer, then asleep, then awake."""
    lab.learner.stage.offer({"openToTheWorld": True})
    change = {"nodegroups": [{"name": "workers", "desired": 2}], "endpoint": {"allowedCidrs": ["0.0.0.0/0"]}}
    lab.learner.stage.offer({"openToTheWorld": True})
    assert lab.learner.sends("PATCH", lab.path, change).status == 202
    lab.becomes("ready")
    for act, phase in (("hibernate", "hibernated"), ("wake", "ready")):
        assert lab.learner.sends("POST", f"{lab.path}/{act}").status == 202
        lab.becomes(phase)
    there = clients_in(lab.learner.stage, lab.region, lab.account)("eks")
    sizes = there.describe_nodegroup(clusterName=lab.name, nodegroupName="workers")["nodegroup"]["scalingConfig"]
    assert sizes["desiredSize"] == 2


def ended_by_the_night(night: Night, home: Lab, abroad: Lab) -> None:
    """Planned hours ahead and ended at curfew: the idle one abroad; the one at home is in use.

    The service reads both clusters, each with the role of its account.
    """
    began = night.curfew - timedelta(hours=9)
    set_activity(night.stage.sandbox, home.name, "busy", since=began)
    set_activity(night.stage.sandbox, abroad.name, "idle", began, (abroad.account, abroad.region))
    for lab in (home, abroad):
        signals = lab.learner.sends("GET", f"{lab.path}/verdict").json["live"]["signals"]
        assert [one["sign"] for one in signals if one["name"] == "kubernetes"] == ["quiet"], signals
    night.rules(maxPercent=100)
    night.strikes(night.curfew - timedelta(hours=3))
    (planned,) = night.plan(night.evening).values()
    assert "idle since" in planned["reason"]
    night.strikes(night.curfew)
    assert abroad.shown()["phase"] != "ready", abroad.events()[-2000:]
    gone(abroad)
    assert home.shown()["phase"] == "ready"


def gone(*labs: Lab) -> None:
    """Nothing of them is left in their accounts, and the receipts confirm it."""
    for lab in labs:
        lab.becomes("deleted")
        assert lab.receipt()["clean"], lab.receipt()["verdict"]
        nothing_is_left_of(lab)
